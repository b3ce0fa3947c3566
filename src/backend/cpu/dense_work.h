// Fovea: dense convolutions as own kernels see them: forward, and by the input, where they are convolutions of the gradient.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "core/range.h"
#include "core/shape.h"
#include "graph/ops.h"

namespace fovea::cpu {

/// a / b, upwards.
[[nodiscard]] constexpr std::int64_t up(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

/// y(n, i, j, k) = sum over u, v, c of x(n, stride i + first_row + u, stride j + first_column + v, c) w(k, u, v, c). x is whole,
/// and zero outside; w and y lie in tensors that hold more than they do.
struct DenseWork {
  /// Numbers of w from one to the next.
  struct Weights {
    std::int64_t first = 0, column = 0, row = 0, tap = 0, channel = 0;
  };
  /// Numbers of y from one to the next.
  struct Places {
    std::int64_t first = 0, image = 0, row = 0, position = 0;
  };

  std::int64_t images, height, width, channels;  ///< of x
  std::int64_t kernel_h, kernel_w, stride;
  std::int64_t first_row, first_column;
  std::int64_t out_height, out_width, columns;  ///< columns: the channels of y
  Weights w;
  Places y;

  [[nodiscard]] std::int64_t depth() const { return kernel_w * channels; }
  [[nodiscard]] std::int64_t weights() const { return kernel_h * depth(); }  ///< of a column
  [[nodiscard]] double flops() const {
    return 2.0 * static_cast<double>(images * out_height * out_width * columns) * static_cast<double>(weights());
  }
  /// Rows of x under `rows` rows of y, and positions of x under a row.
  [[nodiscard]] std::int64_t seen_rows(std::int64_t rows) const { return (rows - 1) * stride + kernel_h; }
  [[nodiscard]] std::int64_t seen_width() const { return (out_width - 1) * stride + kernel_w; }
  /// The kernel rows that see something of x from row `row` of y.
  [[nodiscard]] Range seeing_rows(std::int64_t row) const {
    const std::int64_t at = row * stride + first_row, begin = std::clamp<std::int64_t>(-at, 0, kernel_h);
    return {begin, std::clamp(height - at, begin, kernel_h)};
  }
  /// Taps of a kernel row that lie left of x, and right of it, for a position of y.
  [[nodiscard]] std::int64_t taps_before(std::int64_t position) const {
    return std::clamp<std::int64_t>(-(position * stride + first_column), 0, kernel_w);
  }
  [[nodiscard]] std::int64_t taps_behind(std::int64_t position) const {
    return std::clamp<std::int64_t>(position * stride + first_column + kernel_w - width, 0, kernel_w);
  }
  /// Whether each position of y sees the one of x with its number, and a band of them nothing else.
  [[nodiscard]] bool reads_in_place() const {
    return weights() == channels && stride == 1 && first_row == 0 && first_column == 0 && out_height == height &&
           out_width == width;
  }
  /// Whether y's positions follow each other, from row to row.
  [[nodiscard]] bool writes_in_order() const { return y.position == columns && y.row == out_width * columns; }
};

/// y = convolution of x with w (K,C,R,S), which gives `outputs` channels.
[[nodiscard]] DenseWork forward_work(const graph::Window& window, const Shape& x, std::int64_t outputs);
/// The gradient by x (N,H,W,C), from dy and w (K,C,R,S): for each remainder of a row and a column of x by the stride a
/// convolution with every stride-th tap, back to front. Together they write all of it: parts of x that no window sees are
/// convolutions without taps.
[[nodiscard]] std::vector<DenseWork> backward_work(const graph::Window& window, const Shape& x, const Shape& dy);

}  // namespace fovea::cpu
