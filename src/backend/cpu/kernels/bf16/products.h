// Fovea: matrix products of bf16 operands inside a fused block, on tiles or vectors.
// SPDX-License-Identifier: Apache-2.0
//
// Wide activations lie in blocks of 32 channels, (block, position, 32): 16 positions of a block are a tile. Columns of a wide
// product come in pairs of tiles, one for a block's even channels and one for its odd ones, because two vectors of a register's
// width are what 32 numbers of half the width unfold to. An operand whose positions are summed over is stored by pairs of
// positions, (half, pair, 16 channels, 2): halves are blocks' even and odd channels in turn.
#pragma once

#include <cstddef>
#include <cstdint>

#include "backend/cpu/kernels/bf16/ahead.h"
#include "backend/cpu/kernels/bf16/round.h"
#include "backend/cpu/kernels/bf16/unit.h"
#include "graph/ops.h"

namespace fovea::cpu::bf16 {

inline constexpr std::int64_t kBlock = 32;
inline constexpr std::int64_t kTile = 512;  ///< numbers in a tile
[[nodiscard]] constexpr std::int64_t blocks_of(std::int64_t channels) { return (channels + kBlock - 1) / kBlock; }
[[nodiscard]] constexpr std::int64_t tiles_of(std::int64_t channels) { return (channels + 15) / 16; }

/// Where b's element (k, n) of a block comes from: the columns of a wide product, or its depth, come even channels first.
enum class Order : std::uint8_t { kNatural, kEvenOdd };
/// The channel of a block that comes at `index`.
[[nodiscard]] constexpr std::int64_t channel_at(Order order, std::int64_t index) {
  return order == Order::kNatural ? index : (index < 16 ? 2 * index : 2 * (index - 16) + 1);
}

/// a (rows, depth) in blocks of the depth, times b (depth, columns), packed by pack_operand. Memory behind the rows up to a
/// multiple of 32 must be a's own; what it holds does not matter.
struct Product {
  const Bf16* a;
  std::int64_t a_block;  ///< numbers from one block of a to the next
  std::int64_t rows;
  std::int64_t depth;  ///< what comes behind it in a's and b's last blocks is zeros
  const Bf16* b;       ///< (column block, depth block, 2 tiles)
  std::int64_t columns;
  Order depth_order = Order::kNatural;  ///< as b was packed
  Upcoming* upcoming = nullptr;         ///< moved to what has not been fetched yet; a step is eight rows of a column block
};

/// Row p of column block j goes to data + j block + place[p]; without places one after the other.
struct Scattered {
  Bf16* data;
  std::int64_t block;
  const std::int32_t* place;
};
/// By pairs of positions: row p of half j is that of place[p] / 16 from data + j half on; dropped where place[p] < 0. Places go
/// on to a multiple of 32 rows. A pair of rows is quickest at a pair of places.
struct ScatteredPairs {
  Bf16* data;
  std::int64_t half;
  const std::int32_t* place;
};

/// Gradients that were kept exact, (half, position, 16), as the rows of a tensor: see Plain.
struct Plain;
void from_halves(const float* exact, std::int64_t exact_half, std::int64_t positions, const Plain& out);

/// Numbers of a tensor that is read: floats, or kept in bf16; or none.
struct Numbers {
  const void* data;
  bool rounded;
  // NOLINTBEGIN(google-explicit-constructor): a pointer says which of them it is
  Numbers(const float* floats) : data(floats), rounded(false) {}
  Numbers(const Bf16* numbers) : data(numbers), rounded(true) {}
  Numbers(std::nullptr_t /*none*/) : data(nullptr), rounded(false) {}
  // NOLINTEND(google-explicit-constructor)
};

/// How the rows of a product are written as they lie in a tensor: row p is row plain[p], or dropped where that is negative.
/// (product + plus) times the derivative of the activation as seen from `seen`; there may be no plus and no seen. With `stream`,
/// which needs can_stream(), past the caches: for what is too large to be found there again.
struct Plain {
  void* data;
  std::int64_t columns;
  const std::int32_t* plain;
  Numbers plus;
  graph::Activation activation;
  Numbers seen;
  bool stream;
  bool rounded = false;  ///< data is of Bf16, not of float
};
/// Whether all rows of so many columns are whole vectors of sixteen numbers.
[[nodiscard]] inline bool can_stream(const void* data, std::int64_t columns) {
  return columns % 16 == 0 && reinterpret_cast<std::uintptr_t>(data) % 64 == 0;
}

/// And back: the index at which a channel comes, even channels first.
[[nodiscard]] constexpr std::int64_t even_odd_index_of(std::int64_t channel) { return channel % 2 * 16 + channel / 2; }
/// b (depth, columns), neighbours along one of the two, which has stride 1.
void pack_operand(const float* source, std::int64_t depth, std::int64_t columns, std::int64_t depth_stride,
                  std::int64_t column_stride, Order depth_order, Order column_order, std::int64_t column_block, Bf16* packed);

/// Rows of x (positions, channels) to bf16 in blocks, zeros beyond the last channel.
void to_blocks(const Numbers& x, std::int64_t positions, std::int64_t channels, const Scattered& out);
/// Rows of `width` positions by pairs, each from an even place on; zeros beyond the last channel, and behind an odd number of
/// positions.
void to_pairs(const Numbers& x, std::int64_t rows, std::int64_t width, std::int64_t channels, const ScatteredPairs& out);
/// And back, of what is kept in bf16. Past the caches where that is possible: it is read again only in the backward pass.
void from_pairs(const ScatteredPairs& pairs, std::int64_t rows, std::int64_t width, std::int64_t channels, Bf16* x);
/// An operand in blocks turned around, for outer(): (tile of 16 channels, tile of 32 positions, 16, 32).
void turn(const Bf16* a, std::int64_t a_block, std::int64_t positions, std::int64_t channels, Bf16* out);

/// y (channels) += sum of x (rows, channels) over its rows.
void add_rows(const Bf16* x, std::int64_t rows, std::int64_t channels, float* y);

struct ProductKernels {
  /// out = activation(product + bias); bias (column block, 32), even channels first.
  void (*expand)(const Product& product, const float* bias, graph::Activation activation, const ScatteredPairs& out);
  /// out = product times the derivative of the activation as seen from its output, which is stored by pairs, seen_half numbers
  /// between halves; sums (column block, 32) grow by that before it is rounded. All places are those of pairs.
  void (*gradient)(const Product& product, graph::Activation activation, const Bf16* seen, std::int64_t seen_half,
                   const ScatteredPairs& out, float* sums);
  /// bias (columns up to a multiple of 32), or null.
  void (*narrow)(const Product& product, const float* bias, const Plain& out);
  /// sums (block, channels up to a multiple of 16, 32) += a b: a turned, b (positions, columns) by pairs, both with zeros up to a
  /// multiple of 32 positions.
  void (*outer)(const Bf16* a, std::int64_t channels, std::int64_t positions, const Bf16* b, std::int64_t b_half,
                std::int64_t columns, float* sums);
};
/// Of a unit that is available.
[[nodiscard]] ProductKernels product_kernels(Unit unit);

}  // namespace fovea::cpu::bf16
