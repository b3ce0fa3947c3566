// SPDX-License-Identifier: Apache-2.0
#include "core/user_folders.h"

#include <pwd.h>
#include <unistd.h>

#include <array>
#include <cstdlib>

#include "core/error.h"

namespace fovea {
namespace {

namespace fs = std::filesystem;

/// Of the environment; empty: none that is absolute.
fs::path folder_in(const char* variable) {
  const char* value = std::getenv(variable);  // NOLINT(concurrency-mt-unsafe): nothing in Fovea sets the environment
  return value != nullptr && *value == '/' ? fs::path(value) : fs::path();
}

fs::path home_folder() {
  if (fs::path home = folder_in("HOME"); !home.empty()) return home;
  std::array<char, 16384> text{};
  passwd entry{};
  passwd* found = nullptr;
  ::getpwuid_r(::geteuid(), &entry, text.data(), text.size(), &found);
  return found != nullptr && found->pw_dir != nullptr && *found->pw_dir == '/' ? fs::path(found->pw_dir) : fs::path();
}

Result<fs::path> folder_of(const char* variable, const char* below_home, const char* what) {
  if (const fs::path configured = folder_in(variable); !configured.empty()) return configured / "fovea";
  if (const fs::path home = home_folder(); !home.empty()) return home / below_home / "fovea";
  return fail(Error::Kind::kNotFound, "no {} folder: neither {} nor HOME is set to an absolute path", what, variable);
}

}  // namespace

Result<fs::path> user_cache_folder() { return folder_of("XDG_CACHE_HOME", ".cache", "cache"); }
Result<fs::path> user_data_folder() { return folder_of("XDG_DATA_HOME", ".local/share", "data"); }

}  // namespace fovea
