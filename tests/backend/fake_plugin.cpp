// A plug-in that is wrong in one way: FAKE_VERSION, FAKE_BUILD; or right, but without a GPU.
// SPDX-License-Identifier: Apache-2.0
#include <cstdio>

#include "backend/cuda_plugin.h"

namespace {

fovea::Backend* open(int device, char* reason, std::size_t room) {
  std::snprintf(reason, room, "GPU %d is a fake", device);
  return nullptr;
}

}  // namespace

extern "C" const fovea::CudaPlugin* fovea_cuda_plugin() {
#ifdef FAKE_RIGHT_BUILD
  static const std::string build = fovea::plugin_build();
#else
  static const std::string build = FAKE_BUILD;
#endif
  static const fovea::CudaPlugin plugin{FAKE_VERSION, build.c_str(), open};
  return &plugin;
}
