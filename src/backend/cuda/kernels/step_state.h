// Fovea: what differs from run to run, where kernels see it.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace fovea::cuda {

/// In the device's memory, so that a recorded run can be given another.
struct StepState {
  std::uint64_t seed = 0;
  std::uint32_t step = 0;
  std::uint32_t unused = 0;
  std::int64_t first_row = 0;
};

}  // namespace fovea::cuda
