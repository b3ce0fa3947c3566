// SPDX-License-Identifier: Apache-2.0
#include "core/user_folders.h"

#include <cstdlib>

#include "core/error.h"

namespace fovea {

Result<std::filesystem::path> user_cache_folder() {
  const char* configured = std::getenv("XDG_CACHE_HOME");  // NOLINT(concurrency-mt-unsafe): nothing in Fovea sets the environment
  if (configured != nullptr && *configured == '/') return std::filesystem::path(configured) / "fovea";
  const char* home = std::getenv("HOME");  // NOLINT(concurrency-mt-unsafe)
  if (home != nullptr && *home == '/') return std::filesystem::path(home) / ".cache" / "fovea";
  return fail(Error::Kind::kNotFound, "no cache folder: neither XDG_CACHE_HOME nor HOME is set to an absolute path");
}

}  // namespace fovea
