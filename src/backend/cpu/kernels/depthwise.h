// Fovea: depthwise convolution, vectors over channels.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "backend/cpu/kernels/target.h"
#include "graph/ops.h"

namespace fovea::cpu {

/// Sizes as signed integers: positions left of and above an image are negative.
struct DepthwiseShape {
  graph::Window window;
  std::int64_t height, width;          ///< of x
  std::int64_t out_height, out_width;  ///< of y
  std::int64_t channels;
  bool large;  ///< y is too large for the caches
};

/// Kernel rows that the backward kernels can take; no network has more than 7.
inline constexpr int kMaxDepthwiseRows = 16;

/// Rows [begin, end) of y counted over all images. w (R,S,C), b (C).
using DepthwiseForward = void(const DepthwiseShape& shape, graph::Activation activation, const float* x, const float* w,
                              const float* b, float* y, std::int64_t begin, std::int64_t end);
[[nodiscard]] DepthwiseForward* depthwise_forward(Target target, const graph::Window& window);

/// What one call of the backward kernel computes: rows [begin, end) of dx counted over all images, and what they and the rows of
/// y that belong to them add to dw and db.
struct DepthwiseBackwardArguments {
  const float* x;   ///< (N,H,W,C)
  const float* w;   ///< (R,S,C)
  const float* dy;  ///< (N,H',W',C)
  const float* y;   ///< like dy
  float* dx;        ///< (N,H,W,C); may be x
  float* sums;      ///< (R S + 1, C): this part's dw, then its db
  float* rows;      ///< depthwise_backward_rows() floats
  std::int64_t begin;
  std::int64_t end;
};
using DepthwiseBackward = void(const DepthwiseShape& shape, graph::Activation activation, graph::Activation input_activation,
                               const DepthwiseBackwardArguments& arguments);
[[nodiscard]] DepthwiseBackward* depthwise_backward(Target target, const graph::Window& window);
[[nodiscard]] std::int64_t depthwise_backward_rows(const DepthwiseShape& shape);

}  // namespace fovea::cpu
