// Fovea: depthwise convolution inside a fused block of bf16 numbers, summed up in 32-bit floats. Layouts: products.h.
// SPDX-License-Identifier: Apache-2.0
//
// Rows that are read lie by pairs of positions, column 0 at an even one. The unit adds up two products at once, of a pair and two
// taps; a pair that begins at an odd position is made of its neighbours.
#pragma once

#include <cstdint>

#include "backend/cpu/kernels/bf16/depthwise_taps.h"
#include "backend/cpu/kernels/bf16/products.h"
#include "backend/cpu/kernels/depthwise.h"
#include "graph/ops.h"

namespace fovea::cpu::bf16 {

/// Rows of y: columns [0, out_width), an even number; what is read goes on with zeros to whole pairs.
struct DepthwiseRows {
  std::int64_t rows;
  const Bf16* const* x;  ///< (row, kernel_h): the rows under the window, at the pair in which it begins for column 0
  std::int64_t x_half;   ///< numbers from one half to the next
  int kernel_h;
  const Bf16* w;   ///< of pack_forward
  const float* b;  ///< (block, 32), even channels first
  graph::Activation activation;
  Bf16* y;
  std::int64_t y_row;   ///< numbers from one row to the next
  std::int64_t y_step;  ///< and from one block to the next, or by pairs from one half to the next
  std::int64_t out_width;
  std::int64_t blocks;
};
/// y in blocks, or by pairs. For windows of 3 or 5 columns and strides of 1 or 2.
void depthwise(const graph::Window& window, const DepthwiseRows& rows, bool by_pairs);

/// A row of x and what it meets, each at column 0.
struct MetRow {
  const Bf16* x;
  int count;                         ///< rows of the gradient
  const Bf16* g[kMaxDepthwiseRows];  ///< each
  int tap[kMaxDepthwiseRows];        ///< the kernel row through which it is met
};
/// Rows of x: their gradients, and what they add to those of w and of the bias before the activation of which x is the output.
struct DepthwiseBackwardRows {
  std::int64_t rows;
  const MetRow* met;
  std::int64_t x_half, g_half;
  int kernel_h;
  const Bf16* w;  ///< of pack_backward
  graph::Activation activation;
  Bf16* dx;                 ///< (block, row, column, 32), even channels first; null if `exact` is wanted
  std::int64_t dx_block;    ///< numbers from one block to the next
  Bf16* pairs;              ///< by pairs
  std::int64_t pairs_half;  ///< numbers from one half to the next
  float* exact;             ///< (half, row, column, 16), not rounded, or null
  std::int64_t exact_half;  ///< numbers from one half to the next
  float* dw;                ///< (block, R S, 32), even channels first, grows
  float* db;                ///< (block, 32), even channels first, grows
  std::int64_t width;       ///< of x
  std::int64_t even_width;  ///< columns that are written: width or one more
  std::int64_t blocks;
};
void depthwise_backward(const graph::Window& window, const DepthwiseBackwardRows& rows);

}  // namespace fovea::cpu::bf16
