// Fovea: 32-bit numbers sorted on a GPU, timed by its own clock.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>

#include "backend/gpu_sort.h"

namespace fovea::cuda {

/// CUB's radix sort; `numbers` come back ascending. DeviceFailure when memory is short or the GPU fails.
[[nodiscard]] GpuSortTimes sort_on_gpu(int device, std::span<std::uint32_t> numbers, int runs);

}  // namespace fovea::cuda
