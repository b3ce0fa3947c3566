// Fovea: from the device that was asked for to the backend that will run, with the reason.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "backend/backend.h"
#include "fovea/result.h"
#include "hardware/system_view.h"

namespace fovea {

struct Device {
  std::string name;    ///< "cpu", "cuda:0"
  std::string reason;  ///< why this one: one line for people
  std::unique_ptr<Backend> backend;
  int gpu = -1;  ///< N of "cuda:N"; -1: no GPU
};

/// "auto" takes the best device that works and says why; any other name is that device or an error, never a substitute: kUsage
/// for a name that is none, kUnsupported with what keeps a GPU from being used and what to do about it.
Result<Device> open_device(std::string_view request, const hardware::SystemView& system = hardware::this_system());

/// Devices that train together: one for every name that open_device takes; "cuda:all", every GPU that works; "cuda:0,2", those
/// GPUs; "cpu:2", two trainers on this machine's processors. An error names the first that cannot be used.
Result<std::vector<Device>> open_devices(std::string_view request, const hardware::SystemView& system = hardware::this_system());

/// Why GPU `index` cannot be used, in one sentence; kNotFound where there is no GPU at all. Nothing looks wrong: success.
Result<void> check_gpu(int index, const hardware::SystemView& system);

}  // namespace fovea
