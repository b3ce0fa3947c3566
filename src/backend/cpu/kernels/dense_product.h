// Fovea: a dense convolution, or a linear layer, as products of rows that lie in memory one after the other with packed weights.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "backend/cpu/kernels/block_product.h"
#include "backend/cpu/kernels/target.h"
#include "core/range.h"
#include "graph/ops.h"

namespace fovea::cpu {

/// y (positions, columns) = activation(sum over kernel rows r and i in [0, depth) of x[place[p] + r x_row + i] w[.., r, i, ..] +
/// b). Each element is one sum in that order, whatever is computed together: how the work is parted does not show in the bits.
struct DenseProduct {
  const float* x;
  const std::int32_t* place;  ///< where each position's first kernel row begins
  std::int64_t positions;
  std::int64_t kernel_rows;
  std::int64_t x_row;
  std::int64_t depth;  ///< of a kernel row: its columns times the channels
  const float* w;      ///< (panel, kernel_rows, depth, 16), zeros beyond the last column
  const float* b;      ///< (panel, 16)
  Range panels;        ///< those to be computed
  std::int64_t columns;
  graph::Activation activation;
  float* y;
  std::int64_t y_position;  ///< floats from one position of y to the next
};
using DenseProductKernel = void(const DenseProduct& product);
[[nodiscard]] DenseProductKernel* dense_product(Target target);

}  // namespace fovea::cpu
