// Fovea: rows times rows: a linear layer whose weights are read once and as they lie.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "backend/cpu/kernels/target.h"
#include "core/range.h"

namespace fovea::cpu {

/// y[n, k] = x[n] . w[k] + b[k] for n in [0, rows) and k in `outputs`, rows of `depth` floats. Each is one sum in an order of its
/// own, whatever is computed together.
struct RowDots {
  const float* x;  ///< (rows, depth)
  std::int64_t rows;
  std::int64_t depth;
  const float* w;  ///< (outputs, depth)
  const float* b;
  Range outputs;
  float* y;
  std::int64_t y_row;  ///< floats from one row of y to the next
};
using RowDotsKernel = void(const RowDots& dots);
[[nodiscard]] RowDotsKernel* row_dots(Target target);

}  // namespace fovea::cpu
