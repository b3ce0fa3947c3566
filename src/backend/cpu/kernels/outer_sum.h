// Fovea: sums of outer products over positions: the weights' gradient of a pointwise convolution.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "backend/cpu/kernels/target.h"

namespace fovea::cpu {

/// Columns of a matrix with `stride` floats between its rows.
struct Columns {
  const float* data;
  std::int64_t stride;
  std::int64_t count;
};

/// sums (a.count, b.count), `sums_stride` floats between its rows, += sum over `rows` rows r of a[r, i] b[r, j]; with `first`
/// the sums start at zero. For rows that fit the second-level cache.
using OuterSumKernel = void(const Columns& a, const Columns& b, std::int64_t rows, float* sums, std::int64_t sums_stride,
                            bool first);
[[nodiscard]] OuterSumKernel* outer_sum(Target target);

}  // namespace fovea::cpu
