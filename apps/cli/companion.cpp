// SPDX-License-Identifier: Apache-2.0
#include "companion.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

namespace fovea::cli {

int become_companion(const char* const* argv) {
  namespace fs = std::filesystem;
  std::error_code none;
  const fs::path folder = fs::read_symlink("/proc/self/exe", none).parent_path();
  const fs::path beside = folder / "fovea-media";
  const fs::path installed = folder.parent_path() / "libexec" / "fovea" / "fovea-media";
  for (const fs::path& program : {beside, installed})
    execv(program.c_str(), const_cast<char* const*>(argv));  // which writes nothing
  fmt::print(stderr, "fovea {}: cannot start {} or {} ({}): expected it to be installed with this program\n", argv[1],
             beside.string(), installed.string(), std::strerror(errno));
  return kNothingDone;
}

}  // namespace fovea::cli
