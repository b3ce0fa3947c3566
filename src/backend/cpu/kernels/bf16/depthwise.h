// Fovea: depthwise convolution inside a fused block of bf16 numbers, computed in 32-bit floats. Layouts: products.h.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "backend/cpu/kernels/bf16/products.h"
#include "backend/cpu/kernels/depthwise.h"
#include "graph/ops.h"

namespace fovea::cpu::bf16 {

/// One row of y: columns [0, out_width), an even number; what is read goes on with zeros to a multiple of kDepthwiseColumns.
struct DepthwiseRow {
  const Bf16* x[kMaxDepthwiseRows];  ///< the rows under the window, where it begins for column 0
  std::int64_t x_block;
  int kernel_h;
  const float* w;  ///< (block, R S, 32), even channels first
  const float* b;  ///< (block, 32), even channels first
  graph::Activation activation;
  Bf16* y;
  std::int64_t y_step;  ///< numbers from one block to the next, or by pairs from one half to the next
  std::int64_t out_width;
  std::int64_t blocks;
};
/// y in blocks, or by pairs. For windows of 3 or 5 columns and strides of 1 or 2.
void depthwise(const graph::Window& window, const DepthwiseRow& row, bool by_pairs);

/// One row of x: its gradient, and what it adds to those of w and of the bias before the activation of which x is the output.
struct DepthwiseBackwardRow {
  const Bf16* x;  ///< at column 0
  std::int64_t x_block;
  int count;                         ///< rows of the gradient that x meets
  const Bf16* g[kMaxDepthwiseRows];  ///< each at column 0
  int tap[kMaxDepthwiseRows];        ///< the kernel row through which it is met
  std::int64_t g_block;
  int kernel_h;
  int left;        ///< padding
  const float* w;  ///< (block, R S, 32), even channels first
  graph::Activation activation;
  Bf16* dx;  ///< (block, column, 32), even channels first; null if `exact` is wanted
  std::int64_t dx_block;
  Bf16* pairs;  ///< by pairs
  std::int64_t pairs_half;
  float* exact;  ///< (half, column, 16), not rounded, or null
  std::int64_t exact_half;
  float* dw;                ///< (block, R S, 32), grows
  float* db;                ///< (block, 32), grows
  std::int64_t width;       ///< of x
  std::int64_t even_width;  ///< columns that are written: width or one more
  std::int64_t blocks;
};
void depthwise_backward(const graph::Window& window, const DepthwiseBackwardRow& row);

}  // namespace fovea::cpu::bf16
