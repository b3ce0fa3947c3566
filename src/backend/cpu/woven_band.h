// Fovea: what a part of a gradient of weights multiplies, woven in pairs of positions.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "backend/cpu/kernels/bf16/pair_sums.h"
#include "backend/cpu/paired_positions.h"
#include "core/buffer.h"

namespace fovea::cpu {

/// x and dy in the order (sheet, row, position, channel, pair); where pairs are of images a row of x serves all rows of the
/// window, otherwise each of these has rows of its own.
class WovenBand {
 public:
  /// Memory for parts of up to so many sheets or, of one sheet, rows, and of `vectors` vectors of y's columns; none: to know its
  /// size.
  WovenBand(const PairedPositions& of, std::int64_t sheets, std::int64_t rows, std::int64_t vectors, std::byte* memory);
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

  /// Brings a part here, of the columns of y in `vectors`.
  void weave(const TensorView& x, const TensorView& dy, const PairedPart& part, Range vectors);

  /// What row `tap` of the window sees from the rows of the part from `row` on, and y's columns there from a vector on.
  [[nodiscard]] bf16::Woven x(std::int64_t tap, std::int64_t row) const;
  [[nodiscard]] bf16::Woven dy(std::int64_t row, std::int64_t vector) const;

 private:
  template <class Number>
  void weave_all_x(const TensorView& x);
  template <class Number>
  void weave_all_dy(const TensorView& dy);
  template <class Number>
  void weave_x(const Number* first, const Number* second, bf16::Bf16* to) const;
  template <class Number>
  void weave_dy(const Number* first, const Number* second, bf16::Bf16* to) const;
  [[nodiscard]] std::int64_t seen_rows(std::int64_t rows) const;

  const PairedPositions& g_;
  PairedPart part_;
  Range vectors_;
  std::int64_t x_row_;  ///< in pairs, as all steps
  std::int64_t dy_row_ = 0;
  std::int64_t x_tap_ = 0, x_sheet_ = 0;
  bf16::Bf16* x_;
  bf16::Bf16* dy_;
  std::size_t bytes_;
};

}  // namespace fovea::cpu
