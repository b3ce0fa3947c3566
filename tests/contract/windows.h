// Fovea: the windows that convolutions are tested with.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "contract/case.h"

namespace fovea::contract {

/// Batch, rows, columns and window of one case.
struct Geometry {
  std::int64_t batch;
  std::int64_t height;
  std::int64_t width;
  graph::Window window;

  [[nodiscard]] Shape input(std::int64_t channels) const { return {batch, height, width, channels}; }
  [[nodiscard]] Shape output(std::int64_t channels) const {
    return {batch, graph::window_extent(height, window.kernel_h, window.stride, window.pad.top, window.pad.bottom),
            graph::window_extent(width, window.kernel_w, window.stride, window.pad.left, window.pad.right), channels};
  }
  [[nodiscard]] std::string name() const {
    const auto& [top, left, bottom, right] = window.pad;
    return fmt::format("n{}_{}x{}_window{}x{}_stride{}_pad{}{}{}{}", batch, height, width, window.kernel_h, window.kernel_w,
                       window.stride, top, left, bottom, right);
  }
};

[[nodiscard]] inline graph::Window window_of(int kernel, int stride, graph::Window::Pad pad) {
  return {kernel, kernel, stride, pad};
}
[[nodiscard]] inline graph::Window::Pad pad_all(int size) { return {size, size, size, size}; }

/// Kernels 1, 3 and 5, strides 1 and 2, no, symmetric and one-sided pads, odd and even sizes, an image smaller than the window,
/// and a window that is not square. Their number, 13, shares no factor with the number of channel counts.
inline const Geometry kGeometries[] = {
    {1, 5, 7, window_of(1, 1, {})},           {2, 4, 4, window_of(3, 1, pad_all(1))},   {1, 9, 6, window_of(3, 2, {0, 0, 1, 1})},
    {5, 3, 3, window_of(3, 1, {})},           {1, 7, 7, window_of(3, 2, pad_all(1))},   {1, 8, 5, window_of(5, 1, pad_all(2))},
    {2, 6, 9, window_of(5, 2, {1, 1, 2, 2})}, {1, 1, 1, window_of(1, 1, {})},           {2, 5, 5, window_of(1, 2, {})},
    {1, 2, 1, window_of(5, 1, pad_all(2))},   {1, 7, 8, window_of(3, 2, {1, 0, 0, 2})}, {3, 1, 6, window_of(3, 1, pad_all(1))},
    {1, 6, 7, {3, 5, 1, {1, 2, 1, 2}}},
};

}  // namespace fovea::contract
