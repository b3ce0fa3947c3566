// SPDX-License-Identifier: Apache-2.0
#include "backend/cuda_backend.h"

#include <cstdlib>
#include <filesystem>

#include "backend/cuda_loader/plugin_loader.h"

namespace fovea {

Result<std::unique_ptr<Backend>> make_cuda_backend(int device) {
  const char* given = std::getenv("FOVEA_CUDA_PLUGIN");  // NOLINT(concurrency-mt-unsafe): nothing in Fovea sets the environment
  if (given != nullptr && *given != '\0') return open_plugin(given, device);
  std::error_code failed;
  return open_plugin_in(plugin_folders(std::filesystem::read_symlink("/proc/self/exe", failed)), device);
}

}  // namespace fovea
