// Fovea: an inverted residual block as bands of rows that follow each other through the second-level cache.
// SPDX-License-Identifier: Apache-2.0
//
// Rows are counted over all images: row i of image n of x is n H + i. Of the wide activations only the rows that a band needs
// exist, in rings: row r lies in slot r modulo the ring's rows, between zeros, and one more slot is a row of zeros that stands
// for all rows outside an image.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "backend/cpu/setup.h"
#include "core/parallel.h"

namespace fovea::cpu::block {

struct Geometry {
  graph::InvertedResidual op;
  std::int64_t images;
  std::int64_t height, width;          ///< of x
  std::int64_t out_height, out_width;  ///< of y
  std::int64_t in, inner, out;         ///< channels

  /// Of a node of either pass.
  Geometry(const Setup& setup, const graph::InvertedResidual& op);
  /// With the batch's own statistics: `op` is what both have in common.
  Geometry(const Setup& setup, const graph::InvertedResidualTrain& op);

  [[nodiscard]] std::int64_t taps() const { return std::int64_t{op.window.kernel_h} * op.window.kernel_w; }
  /// Rows of y that are computed in one go where something is summed over them: whole images, in a fixed number of parts,
  /// whatever the number of threads, because each has its own sums.
  [[nodiscard]] std::vector<Range> parts_with_sums() const;
  /// And where not: one for each thread.
  [[nodiscard]] std::vector<Range> parts_for(int threads) const;
  /// Whether threads share the channels of an image rather than its rows: where there are few rows, whose margins would be
  /// computed twice, and more weights than activations, of which each thread then reads its own.
  [[nodiscard]] bool by_channels(int threads) const;
  /// Multiply-adds of x's and y's rows may be given to other kernels, which is what this says no to.
  [[nodiscard]] static bool supports(const graph::InvertedResidual& op);

 private:
  /// Which input is wd, and which is wp.
  Geometry(const Setup& setup, const graph::InvertedResidual& op, std::size_t depthwise, std::size_t project);
};
[[nodiscard]] graph::InvertedResidual without_statistics(const graph::InvertedResidualTrain& op);

/// What is computed together: rows `out` of y; the rows of the expanded x that they are the first to need; and the rows of x
/// whose gradient they complete.
struct Band {
  Range out;
  Range made;
  Range done;
};

/// The bands of rows `range` of y, of at most `rows` of them each, from top to bottom. A range that begins inside an image makes
/// the rows of x above it, which its first row sees, once more; Band::done is of no use then.
template <class Body>
void for_bands(const Geometry& g, Range range, std::int64_t rows, const Body& body) {
  const auto& [kernel_h, kernel_w, stride, pad] = g.op.window;
  std::int64_t made = range.begin / g.out_height * g.height +
                      std::clamp<std::int64_t>(range.begin % g.out_height * stride - pad.top, 0, g.height);
  std::int64_t done = made;
  for (std::int64_t begin = range.begin; begin < range.end; begin += rows) {
    const std::int64_t end = std::min(begin + rows, range.end);
    const std::int64_t image = (end - 1) / g.out_height, last = (end - 1) % g.out_height;
    const bool whole = last == g.out_height - 1;
    const std::int64_t seen = std::min(g.height, last * stride - pad.top + kernel_h);
    const std::int64_t complete = std::clamp<std::int64_t>((last + 1) * stride - pad.top, 0, g.height);
    const std::int64_t made_end = std::max(made, image * g.height + (whole ? g.height : seen));
    const std::int64_t done_end = std::max(done, image * g.height + (whole ? g.height : complete));
    body(Band{{begin, end}, {made, made_end}, {done, done_end}});
    made = made_end;
    done = done_end;
  }
}

/// And body(band, the next one), whose ranges are empty where there is none.
template <class Body>
void for_bands_and_next(const Geometry& g, Range range, std::int64_t rows, const Body& body) {
  Band waiting{};
  for_bands(g, range, rows, [&](const Band& band) {
    if (waiting.out.size() > 0) body(waiting, band);
    waiting = band;
  });
  if (waiting.out.size() > 0) body(waiting, Band{});
}

/// The row of y, counted over all images, that kernel row `tap` of row `row` of x belongs to, or -1.
[[nodiscard]] inline std::int64_t row_of_y(const Geometry& g, std::int64_t row, int tap) {
  const std::int64_t offset = row % g.height + g.op.window.pad.top - tap;
  if (offset < 0 || offset % g.op.window.stride != 0 || offset / g.op.window.stride >= g.out_height) return -1;
  return row / g.height * g.out_height + offset / g.op.window.stride;
}
/// The row of x under kernel row `tap` of row `row` of y, or -1.
[[nodiscard]] inline std::int64_t row_of_x(const Geometry& g, std::int64_t row, int tap) {
  const std::int64_t i = row % g.out_height * g.op.window.stride - g.op.window.pad.top + tap;
  return i < 0 || i >= g.height ? -1 : row / g.out_height * g.height + i;
}

/// Rows that are kept, each `width` positions of which `left` zeros come first.
struct Ring {
  std::int64_t rows = 0;
  std::int64_t left = 0;
  std::int64_t width = 0;

  [[nodiscard]] std::int64_t positions() const { return (rows + 1) * width; }
  /// Position of column 0 of a row; -1 is the row of zeros.
  [[nodiscard]] std::int64_t at(std::int64_t row) const { return (row < 0 ? rows : row % rows) * width + left; }
};

/// Zeros around the rows of a ring of so many channels a position, and its row of zeros; the rows themselves are always written
/// first.
template <class Number>
void clear_margins(const Ring& ring, std::int64_t columns, std::int64_t blocks, std::int64_t channels, Number* data) {
  const std::int64_t row_size = ring.width * channels;
  for (std::int64_t row = 0; row < blocks * (ring.rows + 1); ++row) {
    Number* const begin = data + row * row_size;
    if (row % (ring.rows + 1) == ring.rows) {
      std::fill_n(begin, row_size, Number{0});
    } else {
      std::fill_n(begin, ring.left * channels, Number{0});
      std::fill(begin + (ring.left + columns) * channels, begin + row_size, Number{0});
    }
  }
}

/// The rows of y's gradient that row `x` of x meets, and the kernel rows through which: to `row`, of a depthwise backward kernel.
/// They are kept in `ring` at `gradient`, `block` numbers for each position.
template <class Row, class Element>
void find_met_rows(const Geometry& g, const Ring& ring, std::int64_t x, const Element* gradient, std::int64_t block, Row& row) {
  row.count = 0;
  for (int tap = 0; tap < g.op.window.kernel_h; ++tap) {
    const std::int64_t y = row_of_y(g, x, tap);
    if (y < 0) continue;
    row.g[row.count] = gradient + ring.at(y) * block;
    row.tap[row.count++] = tap;
  }
}

[[nodiscard]] constexpr std::int64_t even(std::int64_t columns) { return (columns + 1) / 2 * 2; }

/// How positions of a row follow each other: one by one, or by pairs, so that rows begin at an even one.
enum class Spacing : std::uint8_t { kSingle, kPairs };

/// For bands of `rows` rows of y.
struct Rings {
  Rings(const Geometry& g, std::span<const Range> parts, std::int64_t rows, Spacing spacing = Spacing::kSingle);
  Ring expanded;      ///< x after the first activation
  Ring gradient;      ///< of y before the second activation
  std::int64_t made;  ///< most rows of Band::made
  std::int64_t done;  ///< and of Band::done
};

/// Rows of y of a band whose wide activations, `bytes` for each row of y, fill half of the second-level cache.
[[nodiscard]] std::int64_t band_rows(std::span<const Range> parts, std::int64_t bytes);

}  // namespace fovea::cpu::block
