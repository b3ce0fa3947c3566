// Fovea: numbers sorted on a GPU, to show what its memory does.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>

#include "fovea/result.h"

namespace fovea {

/// Milliseconds, the best of some runs.
struct GpuSortTimes {
  double sort_ms = 0;      ///< on the GPU alone, by its events
  double upload_ms = 0;    ///< of the numbers, there
  double download_ms = 0;  ///< and back
  double copy_gb_s = 0;    ///< within its memory at best, read and written
};

/// Sorts `numbers` on GPU `device` by the CUDA plug-in. kUnsupported when it cannot be had, kLimit when its memory is too small,
/// kIo when the GPU fails.
Result<GpuSortTimes> sort_on_gpu(int device, std::span<std::uint32_t> numbers, int runs = 5);

}  // namespace fovea
