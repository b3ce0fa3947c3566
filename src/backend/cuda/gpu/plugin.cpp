// Fovea: the plug-in's entry.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstring>
#include <string>
#include <string_view>

#include "backend/cuda/backend.h"
#include "backend/cuda/gpu/gpu_machine.h"
#include "backend/cuda/gpu/nccl_team.h"
#include "backend/cuda/gpu/sort.h"
#include "backend/cuda_plugin.h"

namespace fovea::cuda {
namespace {

void tell(std::string_view text, char* reason, std::size_t room) {
  const std::size_t length = std::min(room - 1, text.size());
  std::memcpy(reason, text.data(), length);
  reason[length] = '\0';
}

Backend* open(int device, char* reason, std::size_t room) {
  try {
    return make_backend(make_gpu_machine(device)).release();
  } catch (const std::exception& failure) {
    tell(failure.what(), reason, room);
    return nullptr;
  }
}

bool sort(int device, std::uint32_t* numbers, std::size_t count, int runs, GpuSortTimes* times, char* reason, std::size_t room) {
  try {
    *times = cuda::sort_on_gpu(device, {numbers, count}, runs);
    return true;
  } catch (const std::exception& failure) {
    tell(failure.what(), reason, room);
    return false;
  }
}

bool team(const int* devices, std::size_t count, Communicator** members, char* reason, std::size_t room) {
  auto made = make_nccl_team({devices, count});
  if (!made) {
    tell(made.error().message, reason, room);
    return false;
  }
  for (std::size_t rank = 0; rank < count; ++rank) members[rank] = (*made)[rank].release();
  return true;
}

}  // namespace
}  // namespace fovea::cuda

extern "C" [[gnu::visibility("default")]] const fovea::CudaPlugin* fovea_cuda_plugin() {
  static const std::string build = fovea::plugin_build();
  static const fovea::CudaPlugin plugin{fovea::kCudaPluginVersion, build.c_str(), fovea::cuda::open, fovea::cuda::sort,
                                        fovea::cuda::team};
  return &plugin;
}
