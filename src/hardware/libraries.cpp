// SPDX-License-Identifier: Apache-2.0
#include "hardware/libraries.h"

#include <algorithm>
#include <string_view>

namespace fovea::hardware {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kFolders[] = {
    "usr/local/cuda/lib64",   "usr/lib/x86_64-linux-gnu", "usr/lib/aarch64-linux-gnu", "usr/lib64", "usr/lib", "usr/local/lib",
    "usr/local/nvidia/lib64", "usr/lib/wsl/lib"};

/// What follows `stem` in the name of the file that `path` leads to: "9.12.0" of libcudnn.so.9.12.0.
std::string version_of(const fs::path& path, std::string_view stem) {
  std::error_code failed;
  const fs::path real = fs::canonical(path, failed);
  const std::string name = (failed ? path : real).filename().string();
  return name.size() > stem.size() + 1 && name.starts_with(stem) ? name.substr(stem.size() + 1) : std::string();
}

}  // namespace

std::vector<fs::path> library_folders(const SystemView& system) {
  std::vector<fs::path> folders;
  const std::string listed = system.variable("LD_LIBRARY_PATH").value_or("");
  for (std::size_t begin = 0; begin < listed.size();) {
    const std::size_t end = std::min(listed.find(':', begin), listed.size());
    if (end > begin) folders.push_back(system.at(listed.substr(begin, end - begin)));
    begin = end + 1;
  }
  for (const std::string_view folder : kFolders) folders.push_back(system.at(folder));
  return folders;
}

LibraryFinding find_library(const SystemView& system, const LibraryNeed& need) {
  LibraryFinding finding;
  finding.need = need;
  for (const fs::path& folder : library_folders(system)) {
    std::error_code failed;
    const fs::path wanted = folder / finding.wanted();
    if (fs::is_regular_file(wanted, failed)) {
      finding.found = wanted;
      finding.version = version_of(wanted, need.stem);
      return finding;
    }
    // The next versions and the last ones: a listing of a folder of thousands would take long.
    constexpr int kNear = 4;
    for (int major = std::max(1, need.major - kNear); major <= need.major + kNear; ++major) {
      const fs::path other = folder / (need.stem + "." + std::to_string(major));
      if (major != need.major && fs::is_regular_file(other, failed)) finding.others.push_back(other);
    }
  }
  return finding;
}

}  // namespace fovea::hardware
