// SPDX-License-Identifier: Apache-2.0
#include "backend/cpu/woven_band.h"

#include <algorithm>

#include "backend/cpu/block/workspace.h"
#include "backend/numbers_of.h"

namespace fovea::cpu {

using bf16::Bf16;
using bf16::kPair;
using bf16::kVector;

WovenBand::WovenBand(const PairedPositions& of, std::int64_t sheets, std::int64_t rows, std::int64_t vectors, std::byte* memory)
    : g_(of), x_row_(of.cells * of.channels) {
  block::Pieces pieces(memory);
  x_ = pieces.take<Bf16>(sheets * seen_rows(rows) * x_row_ * kPair);
  dy_ = pieces.take<Bf16>(sheets * rows * of.out_width * vectors * kVector * kPair);
  bytes_ = pieces.bytes();
}

/// Of x, woven, under so many rows of a sheet.
std::int64_t WovenBand::seen_rows(std::int64_t rows) const {
  return g_.by_images ? (rows - 1) * g_.window.stride + g_.window.kernel_h : rows * g_.window.kernel_h;
}

void WovenBand::weave(const TensorView& x, const TensorView& dy, const PairedPart& part, Range vectors) {
  part_ = part;
  vectors_ = vectors;
  dy_row_ = g_.out_width * vectors.size() * kVector;
  x_tap_ = g_.by_images ? x_row_ : part.rows.size() * x_row_;
  x_sheet_ = seen_rows(part.rows.size()) * x_row_;
  dy.dtype == DType::kF32 ? weave_all_dy<float>(dy) : weave_all_dy<Bf16>(dy);
  x.dtype == DType::kF32 ? weave_all_x<float>(x) : weave_all_x<Bf16>(x);
}

bf16::Woven WovenBand::x(std::int64_t tap, std::int64_t row) const {
  const std::int64_t step = g_.by_images ? g_.window.stride * x_row_ : x_row_;
  return {x_ + (tap * x_tap_ + (row - part_.rows.begin) * step) * kPair, x_sheet_, step, g_.window.stride * g_.channels};
}

bf16::Woven WovenBand::dy(std::int64_t row, std::int64_t vector) const {
  const std::int64_t position = vectors_.size() * kVector;
  return {dy_ + ((row - part_.rows.begin) * dy_row_ + (vector - vectors_.begin) * kVector) * kPair, part_.rows.size() * dy_row_,
          dy_row_, position};
}

template <class Number>
void WovenBand::weave_all_dy(const TensorView& dy) {
  const std::int64_t row_size = g_.out_width * g_.columns;
  const auto row_of = [&](std::int64_t row) { return row < g_.rows() ? numbers_of<const Number>(dy) + row * row_size : nullptr; };
  Bf16* to = dy_;
  for (std::int64_t sheet = part_.sheets.begin; sheet < part_.sheets.end; ++sheet) {
    for (std::int64_t row = part_.rows.begin; row < part_.rows.end; ++row, to += dy_row_ * kPair)
      weave_dy(row_of(g_.first_row(sheet, row)), row_of(g_.second_row(sheet, row)), to);
  }
}

/// A pair of rows of y, the columns of the vectors that are wanted.
template <class Number>
void WovenBand::weave_dy(const Number* first, const Number* second, Bf16* to) const {
  const std::int64_t begin = vectors_.begin * kVector, count = std::min(vectors_.size() * kVector, g_.columns - begin);
  if (count == g_.columns && count == vectors_.size() * kVector) {
    bf16::weave(first, second, g_.out_width * count, to);
    return;
  }
  for (std::int64_t i = 0; i < g_.out_width; ++i, to += vectors_.size() * kVector * kPair) {
    const std::int64_t at = i * g_.columns + begin;
    bf16::weave(first + at, second == nullptr ? nullptr : second + at, count, to);
    std::fill(to + count * kPair, to + vectors_.size() * kVector * kPair, Bf16{0});
  }
}

template <class Number>
void WovenBand::weave_all_x(const TensorView& x) {
  const std::int64_t row_size = g_.width * g_.channels, top = g_.window.pad.top, stride = g_.window.stride;
  // Row `at` of an image; null beyond its edges.
  const auto row_of = [&](std::int64_t image, std::int64_t at) {
    const bool is_there = at >= 0 && at < g_.height && image < g_.images;
    return is_there ? numbers_of<const Number>(x) + (image * g_.height + at) * row_size : nullptr;
  };
  Bf16* to = x_;
  if (g_.by_images) {
    for (std::int64_t sheet = part_.sheets.begin; sheet < part_.sheets.end; ++sheet) {
      for (std::int64_t i = 0; i < seen_rows(part_.rows.size()); ++i, to += x_row_ * kPair) {
        const std::int64_t at = part_.rows.begin * stride - top + i;
        if (at >= 0 && at < g_.height) weave_x(row_of(2 * sheet, at), row_of(2 * sheet + 1, at), to);
      }
    }
    return;
  }
  for (std::int64_t tap = 0; tap < g_.window.kernel_h; ++tap) {
    const auto seen_by = [&](std::int64_t row) { return row_of(row / g_.out_height, row % g_.out_height * stride + tap - top); };
    for (std::int64_t row = part_.rows.begin; row < part_.rows.end; ++row, to += x_row_ * kPair)
      weave_x(seen_by(g_.first_row(0, row)), seen_by(g_.second_row(0, row)), to);
  }
}

/// A pair of rows of x, with what a row of the window sees beside them.
template <class Number>
void WovenBand::weave_x(const Number* first, const Number* second, Bf16* to) const {
  const std::int64_t left = std::min<std::int64_t>(g_.window.pad.left, g_.cells), inside = std::min(g_.cells - left, g_.width);
  const std::int64_t cell = g_.channels * kPair;
  std::fill_n(to, left * cell, Bf16{0});
  bf16::weave(first, second, inside * g_.channels, to + left * cell);
  std::fill_n(to + (left + inside) * cell, (g_.cells - left - inside) * cell, Bf16{0});
}

}  // namespace fovea::cpu
