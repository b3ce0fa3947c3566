// Fovea: how positions come in pairs whose products are added up together, for gradients of weights in bf16.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>

#include "backend/cpu/dense_work.h"
#include "core/range.h"
#include "core/shape.h"
#include "graph/graph.h"
#include "graph/ops.h"

namespace fovea::cpu {

/// Two images make pairs, position by position: what a tap sees of both lies at one place, so that a row of x is woven once for
/// all rows of the window, and padding is the same for both, so that it can be left out. An odd number of images makes pairs of
/// rows, one above the other through all images; a row of the window then has woven rows of its own.
struct PairedPositions {
  graph::Window window;
  std::int64_t images, height, width, channels;  ///< of x
  std::int64_t out_height, out_width, columns;   ///< of y
  std::int64_t cells;                            ///< positions of x that a row of y sees, with its padding
  bool by_images;

  PairedPositions(const graph::Window& w, const Shape& x, std::int64_t outputs)
      : window(w),
        images(x[0]),
        height(x[1]),
        width(x[2]),
        channels(x[3]),
        out_height(graph::window_extent(height, w.kernel_h, w.stride, w.pad.top, w.pad.bottom)),
        out_width(graph::window_extent(width, w.kernel_w, w.stride, w.pad.left, w.pad.right)),
        columns(outputs),
        cells((out_width - 1) * w.stride + w.kernel_w),
        by_images(images % 2 == 0 && w != graph::Window{}) {}

  /// A row of the window over its channels lies in one piece: so many rows has the product of one of its rows.
  [[nodiscard]] std::int64_t depth() const { return window.kernel_w * channels; }
  [[nodiscard]] std::int64_t taps() const { return std::int64_t{window.kernel_h} * window.kernel_w; }

  /// Of y, of all images.
  [[nodiscard]] std::int64_t rows() const { return images * out_height; }
  /// Sheets of pairs of rows of y: of two images each, or one.
  [[nodiscard]] std::int64_t sheets() const { return by_images ? images / 2 : 1; }
  [[nodiscard]] std::int64_t sheet_rows() const { return by_images ? out_height : up(rows(), 2); }
  [[nodiscard]] std::int64_t pairs() const { return sheets() * sheet_rows(); }

  /// The first of two rows of y, of all images, and the second, which may lie behind the last.
  [[nodiscard]] std::int64_t first_row(std::int64_t sheet, std::int64_t row) const {
    return by_images ? 2 * sheet * out_height + row : 2 * row;
  }
  [[nodiscard]] std::int64_t second_row(std::int64_t sheet, std::int64_t row) const {
    return first_row(sheet, row) + (by_images ? out_height : 1);
  }

  /// The positions of y, in one dimension, from which a tap sees something of x.
  static Range seeing(std::int64_t tap, std::int64_t stride, std::int64_t pad, std::int64_t extent, std::int64_t out) {
    const std::int64_t before = pad - tap, last = extent - 1 + before;  // first: stride i >= before; last: stride i <= last
    const std::int64_t begin = before > 0 ? up(before, stride) : 0, end = last < 0 ? 0 : last / stride + 1;
    return {std::min(begin, out), std::clamp(end, std::min(begin, out), out)};
  }
  [[nodiscard]] Range seeing_rows(std::int64_t tap) const {
    if (!by_images) return {0, sheet_rows()};
    return seeing(tap, window.stride, window.pad.top, height, out_height);
  }
  [[nodiscard]] Range seeing_columns(std::int64_t tap) const {
    return seeing(tap, window.stride, window.pad.left, width, out_width);
  }
};

/// Pairs of rows: the same of each of some sheets.
struct PairedPart {
  Range sheets, rows;
  [[nodiscard]] std::int64_t pairs() const { return sheets.size() * rows.size(); }
};

}  // namespace fovea::cpu
