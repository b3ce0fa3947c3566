// Fovea: sums over positions of products of bf16 numbers: what gradients of weights are made of.
// SPDX-License-Identifier: Apache-2.0
//
// The vector unit multiplies and adds numbers two by two, so positions come in pairs, woven: (pair, channel, 2). Such rows serve
// both sides of a product: 16 channels are a vector, and one channel's pair is what is multiplied with all of it.
#pragma once

#include <cstddef>
#include <cstdint>

#include "backend/cpu/kernels/bf16/ahead.h"
#include "backend/cpu/kernels/bf16/round.h"
#include "core/range.h"

namespace fovea::cpu::bf16 {

inline constexpr std::int64_t kVector = 16;  ///< floats in a vector, and pairs of bf16 numbers
inline constexpr std::int64_t kPair = 2;     ///< numbers in a pair

/// pairs[i] = (first[i], second[i]) for i < count; zeros for a row that is null. Floats are rounded.
void weave(const float* first, const float* second, std::int64_t count, Bf16* pairs);
void weave(const Bf16* first, const Bf16* second, std::int64_t count, Bf16* pairs);

/// Woven rows: number of pairs from one sheet of rows to the next, from one row to the next, and from one position to the next.
struct Woven {
  const Bf16* data;
  std::int64_t sheet;
  std::int64_t row;
  std::int64_t position;
};

/// sums (channels, 16 vectors) of a and b over `sheets` sheets of `rows` rows of `columns` positions: products of `channels`
/// channels of a, and 16 `vectors` of b, which is at most kMostVectors.
struct PairSum {
  Woven a, b;
  std::int64_t sheets, rows, columns;
  std::int64_t channels, vectors;
  float* sums;
  /// The columns at which a may be other than zero, for its first `tap` channels, the next, and so on; null: all.
  const Range* seen = nullptr;
  std::int64_t tap = 1;
  bool half = false;  ///< of the one vector of b only 8 columns are wanted; the sums of the others are zeros
};
inline constexpr std::int64_t kMostVectors = 4;
/// Adds to the sums, or begins them. `ahead` is moved to what has not been fetched yet.
void sum_pairs(const PairSum& sum, bool begin, Ahead& ahead);
/// Into how many tiles, each of which goes over all positions, sum_pairs parts so many channels.
[[nodiscard]] std::int64_t sum_tiles(std::int64_t channels, std::int64_t vectors);

/// Sums as they are made by sum_pairs for part after part, `part` floats from one to the next: of a group of `vectors` vectors.
struct SumParts {
  const float* sums;
  std::int64_t parts, part;
  std::int64_t vectors;
};
/// to[k row + c step] = total of channel c, number k of vector `vector`, for c < channels and k < count <= 16.
void total_turned(const SumParts& from, std::int64_t vector, std::int64_t channels, std::int64_t count, float* to,
                  std::int64_t row, std::int64_t step);

}  // namespace fovea::cpu::bf16
