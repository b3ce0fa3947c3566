// Fovea: a GPU as the machine of the CUDA backend.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "backend/cuda/machine.h"

namespace fovea::cuda {

/// Of GPU `device`, as CUDA counts them; a DeviceFailure says what is wrong with it.
[[nodiscard]] std::shared_ptr<Machine> make_gpu_machine(int device);

}  // namespace fovea::cuda
