// Fovea: depthwise convolution inside a fused block, row by row: (block, column, 16 channels), with zeros around each row.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "backend/cpu/kernels/block_product.h"
#include "backend/cpu/kernels/depthwise.h"
#include "backend/cpu/kernels/target.h"
#include "graph/ops.h"

namespace fovea::cpu {

/// Columns that are computed together: rows that are read must go on with zeros, up to a multiple of it and the window.
inline constexpr std::int64_t kDepthwiseColumns = 4;

/// One row of y.
struct BlockDepthwiseRow {
  const float* x[kMaxDepthwiseRows];  ///< the rows under the window, where it begins for column 0
  std::int64_t x_block;
  int kernel_h;
  const float* w;  ///< (block, R S, 16)
  const float* b;  ///< (block, 16)
  graph::Activation activation;
  float* y;
  std::int64_t y_block;
  std::int64_t out_width;
  std::int64_t blocks;
};
using BlockDepthwise = void(const BlockDepthwiseRow& row);
/// For windows of 3 or 5 columns and strides of 1 or 2.
[[nodiscard]] BlockDepthwise* block_depthwise(Target target, const graph::Window& window);

/// One row of x: its gradient, and what it adds to those of w and of the bias before the activation of which x is the output.
struct BlockDepthwiseBackwardRow {
  const float* x;  ///< at column 0
  std::int64_t x_block;
  int count;                          ///< rows of the gradient that x meets
  const float* g[kMaxDepthwiseRows];  ///< each at column 0
  int tap[kMaxDepthwiseRows];         ///< the kernel row through which it is met
  std::int64_t g_block;
  int kernel_h;
  int left;        ///< padding
  const float* w;  ///< (block, R S, 16)
  graph::Activation activation;
  float* dx;
  std::int64_t dx_block;
  float* dw;  ///< (block, R S, 16), grows
  float* db;  ///< (block, 16), grows
  std::int64_t width;
  std::int64_t blocks;
};
using BlockDepthwiseBackward = void(const BlockDepthwiseBackwardRow& row);
[[nodiscard]] BlockDepthwiseBackward* block_depthwise_backward(Target target, const graph::Window& window);

}  // namespace fovea::cpu
