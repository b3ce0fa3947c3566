// Fovea: rows of bf16 numbers times packed weights: what dense convolutions are made of on processors with AVX512_BF16.
// SPDX-License-Identifier: Apache-2.0
//
// The vector unit multiplies and adds numbers two by two. Two numbers of a row that follow each other, as they lie in memory, are
// spread over a vector and multiplied with the two weights that 16 columns have for them.
#pragma once

#include <cstddef>
#include <cstdint>

#include "backend/cpu/kernels/bf16/ahead.h"
#include "backend/cpu/kernels/bf16/round.h"
#include "graph/activation.h"

namespace fovea::cpu::bf16 {

/// Where results go: rows of columns, floats or rounded.
struct Results {
  std::byte* data = nullptr;  ///< of the first position and column; null where nobody wants them
  bool rounded = false;
  std::int64_t position = 0;  ///< numbers from one position to the next
};

/// Where what is read along with results lies, in the same way.
struct Operand {
  const std::byte* data = nullptr;  ///< null: there is none
  bool rounded = false;
  std::int64_t position = 0;
};

/// y (positions, columns) = (activation(sum over kernel rows r and i in [0, 2 pairs) of x[p position + r row + i] w[r, i, ..] +
/// b) + addend) factor, slope like y = the activation's derivative there. Each element is one sum in that order, whatever is
/// computed together.
struct RowProduct {
  const Bf16* x;
  std::int64_t positions;
  std::int64_t position;  ///< numbers of x from one position to the next
  std::int64_t kernel_rows;
  std::int64_t row;    ///< numbers of x from one kernel row to the next
  std::int64_t pairs;  ///< of numbers in a kernel row
  /// Of them, those that are zeros for the first position, and behind the others those for the last one: not multiplied there.
  std::int64_t unseen_by_first, unseen_by_last;
  const Bf16* w;         ///< (kernel_rows, pairs, vectors, 16, 2) with vectors of 16 columns, zeros beyond the last column
  const float* b;        ///< (vectors, 16); null: zeros
  std::int64_t columns;  ///< at most 16 kMostColumnVectors
  graph::Activation activation;
  Results y, slope;
  Operand addend, factor;
  Ahead* ahead;  ///< moved to what has not been fetched yet; a step is a pair of numbers of a kernel row for a tile of positions
};
inline constexpr std::int64_t kMostColumnVectors = 4;
/// Positions that are computed at once, and a multiple of any smaller such number.
inline constexpr std::int64_t kMostPositions = 28;
/// Steps of a product with one kernel row of one pair.
[[nodiscard]] constexpr std::int64_t steps_of(std::int64_t positions, std::int64_t columns) {
  return positions * ((columns + 15) / 16) / kMostPositions + 1;
}

void multiply_rows(const RowProduct& product);

/// Columns of 2 `pairs` numbers, `column` numbers apart, to (pairs, vectors, 16, 2) of which this is vector `vector`: at most 16
/// columns, zeros for the others.
void pack_columns(const Bf16* columns, std::int64_t column, std::int64_t count, std::int64_t pairs, std::int64_t vectors,
                  std::int64_t vector, Bf16* to);

/// One pair of numbers of at most 16 columns, which lie beside each other: rounded, to (16, 2), zeros for the others and for a
/// row that is null.
void pack_pair(const float* first, const float* second, std::int64_t count, Bf16* to);

/// Two channels' windows of at most 16 numbers each, of at most 16 columns that lie `column` numbers apart. Of number
/// first + u row + v tap of both, for u < rows and v < taps, to[(u taps + v) step] is a pair as by pack_pair.
struct Windows {
  const float* even;
  const float* odd;
  std::int64_t column, count, size;
  std::int64_t first, row, tap, rows, taps;
};
inline constexpr std::int64_t kLargestWindow = 16;
void pack_windows(const Windows& windows, Bf16* to, std::int64_t step);

}  // namespace fovea::cpu::bf16
