// SPDX-License-Identifier: Apache-2.0
#include "backend/cpu/dense_work.h"

#include <algorithm>

#include "graph/graph.h"

namespace fovea::cpu {
namespace {

/// A pointwise one sees all positions as rows of one image that is a position wide.
DenseWork pointwise(std::int64_t rows, std::int64_t channels, std::int64_t columns, const DenseWork::Weights& w) {
  return {1, rows, 1, channels, 1, 1, 1, 0, 0, rows, 1, columns, w, {0, rows * columns, columns, columns}};
}

/// One dimension of the gradient at the positions stride i + remainder: the taps r that fall on positions of dy are first_tap,
/// then every stride-th.
struct Phase {
  std::int64_t first_tap, taps;
  std::int64_t first_seen;  ///< position of dy that the last of them falls on for i = 0
  std::int64_t count;       ///< of positions

  Phase(std::int64_t remainder, std::int64_t stride, std::int64_t kernel, std::int64_t pad, std::int64_t extent)
      : first_tap((remainder + pad) % stride),
        taps(std::max<std::int64_t>((kernel - first_tap + stride - 1) / stride, 0)),
        first_seen((remainder + pad - first_tap) / stride - (taps - 1)),
        count(std::max<std::int64_t>((extent - remainder + stride - 1) / stride, 0)) {}
};

}  // namespace

DenseWork forward_work(const graph::Window& window, const Shape& x, std::int64_t outputs) {
  const std::int64_t c = x.back(), taps = std::int64_t{window.kernel_h} * window.kernel_w;
  const DenseWork::Weights w{0, c * taps, window.kernel_w, 1, taps};
  if (window == graph::Window{}) return pointwise(x.elements() / std::max<std::int64_t>(c, 1), c, outputs, w);
  const std::int64_t h = graph::window_extent(x[1], window.kernel_h, window.stride, window.pad.top, window.pad.bottom);
  const std::int64_t v = graph::window_extent(x[2], window.kernel_w, window.stride, window.pad.left, window.pad.right);
  return {x[0],
          x[1],
          x[2],
          c,
          window.kernel_h,
          window.kernel_w,
          window.stride,
          -window.pad.top,
          -window.pad.left,
          h,
          v,
          outputs,
          w,
          {0, h * v * outputs, v * outputs, outputs}};
}

std::vector<DenseWork> backward_work(const graph::Window& window, const Shape& x, const Shape& dy) {
  const std::int64_t c = x.back(), k = dy.back(), taps = std::int64_t{window.kernel_h} * window.kernel_w;
  if (window == graph::Window{}) return {pointwise(x.elements() / std::max<std::int64_t>(c, 1), k, c, {0, 1, 0, 0, c})};
  std::vector<DenseWork> phases;
  const std::int64_t s = window.stride, width = x[2];
  for (std::int64_t a = 0; a < s; ++a) {
    const Phase rows(a, s, window.kernel_h, window.pad.top, x[1]);
    for (std::int64_t b = 0; b < s; ++b) {
      const Phase columns(b, s, window.kernel_w, window.pad.left, width);
      if (rows.count * columns.count == 0) continue;
      const std::int64_t last_tap =
          (rows.first_tap + s * (rows.taps - 1)) * window.kernel_w + columns.first_tap + s * (columns.taps - 1);
      phases.push_back({dy[0], dy[1], dy[2], k, rows.taps, columns.taps, 1, rows.first_seen, columns.first_seen, rows.count,
                        columns.count, c, DenseWork::Weights{last_tap, taps, -s * window.kernel_w, -s, c * taps},
                        DenseWork::Places{(a * width + b) * c, x[1] * width * c, s * width * c, s * c}});
    }
  }
  return phases;
}

}  // namespace fovea::cpu
