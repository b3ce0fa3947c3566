// Fovea: a thread's own stream on a GPU, and memory for it.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "backend/cuda/gpu/gpu_memory.h"
#include "backend/cuda/lane.h"

namespace fovea::cuda {

[[nodiscard]] std::unique_ptr<Lane> make_gpu_lane(std::shared_ptr<GpuMemory> memory);

}  // namespace fovea::cuda
