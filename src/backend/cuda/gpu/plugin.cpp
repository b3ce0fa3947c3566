// Fovea: the plug-in's entry.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstring>
#include <string>

#include "backend/cuda/backend.h"
#include "backend/cuda/gpu/gpu_machine.h"
#include "backend/cuda_plugin.h"

namespace fovea::cuda {
namespace {

Backend* open(int device, char* reason, std::size_t room) {
  try {
    return make_backend(make_gpu_machine(device)).release();
  } catch (const std::exception& failure) {
    const std::size_t length = std::min(room - 1, std::strlen(failure.what()));
    std::memcpy(reason, failure.what(), length);
    reason[length] = '\0';
    return nullptr;
  }
}

}  // namespace
}  // namespace fovea::cuda

extern "C" [[gnu::visibility("default")]] const fovea::CudaPlugin* fovea_cuda_plugin() {
  static const std::string build = fovea::plugin_build();
  static const fovea::CudaPlugin plugin{fovea::kCudaPluginVersion, build.c_str(), fovea::cuda::open};
  return &plugin;
}
