// SPDX-License-Identifier: Apache-2.0
#include "backend/cuda_backend.h"

#include <cstdlib>
#include <filesystem>

#include "backend/cuda_loader/plugin_loader.h"
#include "backend/gpu_team.h"
#include "core/error.h"

namespace fovea {

namespace {

Result<const CudaPlugin*> plugin_of_program() {
  const char* given = std::getenv("FOVEA_CUDA_PLUGIN");  // NOLINT(concurrency-mt-unsafe): nothing in Fovea sets the environment
  if (given != nullptr && *given != '\0') return load_plugin(given);
  std::error_code failed;
  return load_plugin_in(plugin_folders(std::filesystem::read_symlink("/proc/self/exe", failed)));
}

}  // namespace

Result<std::unique_ptr<Backend>> make_cuda_backend(int device) {
  FOVEA_ASSIGN(const CudaPlugin* plugin, plugin_of_program());
  return open_backend(*plugin, device);
}

Result<GpuSortTimes> sort_on_gpu(int device, std::span<std::uint32_t> numbers, int runs) {
  FOVEA_ASSIGN(const CudaPlugin* plugin, plugin_of_program());
  GpuSortTimes times;
  PluginReason reason;
  if (!plugin->sort(device, numbers.data(), numbers.size(), runs, &times, reason.data(), reason.room())) return reason.error();
  return times;
}

Result<std::vector<std::unique_ptr<Communicator>>> make_gpu_team(std::span<const int> devices) {
  FOVEA_ASSIGN(const CudaPlugin* plugin, plugin_of_program());
  std::vector<Communicator*> made(devices.size());
  PluginReason reason;
  if (!plugin->team(devices.data(), devices.size(), made.data(), reason.data(), reason.room())) return reason.error();
  std::vector<std::unique_ptr<Communicator>> members;
  members.reserve(made.size());
  for (Communicator* member : made) members.emplace_back(member);
  return members;
}

}  // namespace fovea
