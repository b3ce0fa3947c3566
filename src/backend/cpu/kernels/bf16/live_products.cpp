// SPDX-License-Identifier: Apache-2.0
#include "backend/cpu/kernels/bf16/live_products.h"

#include "backend/cpu/kernels/bf16/intrinsics.h"

#if FOVEA_HAS_BF16

#include "backend/cpu/kernels/bf16/channels.h"
#include "backend/cpu/kernels/bf16/multiply.h"
#include "backend/cpu/kernels/bf16/pairs.h"

namespace fovea::cpu::bf16 {
namespace {

/// body(row, its sums, those of the next) for all pairs of rows of a column block; where the last one is alone, what is given
/// for the next means nothing.
template <class Multiplier, class Body>
FOVEA_BF16_INLINE void for_pairs(const Product& p, std::int64_t column, const Body& body) {
  by_wanted(p.columns - column * kBlock, Order::kNatural, [&](auto wanted) FOVEA_BF16 {
    for (std::int64_t row = 0; row < p.rows; row += Multiplier::kRows)
      Multiplier::template multiply<decltype(wanted)>(p, row, column, nullptr, body);
  });
}
/// body(row, its sums) for all rows.
template <class Multiplier, class Body>
FOVEA_BF16_INLINE void for_rows(const Product& p, std::int64_t column, const Body& body) {
  for_pairs<Multiplier>(p, column, [&](std::int64_t row, const Halves& first, const Halves& second) FOVEA_BF16 {
    body(row, first);
    if (row + 1 < p.rows) body(row + 1, second);
  });
}

/// A block of a vector.
FOVEA_BF16_INLINE Channels block_of(const float* vector, std::int64_t column) {
  return {_mm512_load_ps(vector + column * kBlock), _mm512_load_ps(vector + column * kBlock + 16)};
}

/// A block of NormBackward's vectors.
struct Back {
  Channels mean, scale, sum, product;
  FOVEA_BF16_INLINE Back(const NormBackward& by, std::int64_t column)
      : mean(block_of(by.mean, column)),
        scale(block_of(by.scale, column)),
        sum(block_of(by.sum, column)),
        product(block_of(by.product, column)) {}

  [[nodiscard]] FOVEA_BF16_INLINE Channels of(const Channels& g, const Channels& centred) const {
    return {back_through_norm(scale.low, sum.low, product.low, g.low, centred.low),
            back_through_norm(scale.high, sum.high, product.high, g.high, centred.high)};
  }
};

/// The gradient that gets through an activation, and how far what it belongs to is from its mean.
struct Through {
  Channels g, centred;
};
/// Of rows of a column block, which lie too far apart for the processor to see that the next ones will be read.
struct Rows {
  static constexpr std::int64_t kAhead = 16;
  const NormedRows& rows;
  Group group;
  BothBy by;
  Limits limits;
  FOVEA_BF16_INLINE Rows(const NormedRows& of, std::int64_t column)
      : rows(of), group(column * kBlock, of.channels), by(group, of.by), limits(of.activation) {}

  [[nodiscard]] FOVEA_BF16_INLINE Through through(std::int64_t row, const Halves& sums) const {
    const Bf16* const here = rows.x + row * rows.channels;
    _mm_prefetch(here + kAhead * rows.channels + group.first, _MM_HINT_T0);
    const Channels x = group.load_row(here);
    const Channels centred{by.low.centred(x.low), by.high.centred(x.high)};
    return {
        {limits.through(by.low.normalised(centred.low), sums.even), limits.through(by.high.normalised(centred.high), sums.odd)},
        centred};
  }
};

FOVEA_BF16_INLINE Channels gradient_at(const GradientBlocks& g, std::int64_t column, std::int64_t row) {
  return unfold(interleave(_mm512_load_si512(g.data + column * g.block + row * kBlock)));
}

template <class Multiplier>
FOVEA_BF16 void expand(const Product& product, const float* scale, const float* shift, graph::Activation activation,
                       const ScatteredPairs& out) {
  const RoundedLimits limits(activation);
  for (std::int64_t column = 0; column < blocks_of(product.columns); ++column) {
    const Channels factor = block_of(scale, column), plus = block_of(shift, column);
    Bf16* const data = out.data + 2 * column * out.half;
    const auto one = [&](const Halves& sums) FOVEA_BF16 {
      const Channels value{_mm512_fmadd_ps(sums.even, factor.low, plus.low), _mm512_fmadd_ps(sums.odd, factor.high, plus.high)};
      return limits.clamp(fold(value));
    };
    for_pairs<Multiplier>(product, column, [&](std::int64_t row, const Halves& sums, const Halves& next) FOVEA_BF16 {
      put(pairs_of(one(sums), one(next)), data, out.half, out.place + row);
    });
  }
}

template <class Multiplier>
FOVEA_BF16 void gradient_sums(const Product& product, const NormedRows& normed, float* sums_of_columns, float* products) {
  for (std::int64_t column = 0; column < blocks_of(product.columns); ++column) {
    const Rows rows(normed, column);
    GroupSums total;
    for_rows<Multiplier>(product, column, [&](std::int64_t row, const Halves& sums) FOVEA_BF16 {
      const Through found = rows.through(row, sums);
      total.add(found.g, found.centred);
    });
    total.end(rows.group, sums_of_columns, products);
  }
}

template <class Multiplier>
FOVEA_BF16 void gradient(const Product& product, const NormedRows& normed, const NormBackward& by, const ScatteredPairs& out) {
  for (std::int64_t column = 0; column < blocks_of(product.columns); ++column) {
    const Rows rows(normed, column);
    const Back back(by, column);
    Bf16* const data = out.data + 2 * column * out.half;
    const auto one = [&](std::int64_t row, const Halves& sums) FOVEA_BF16 {
      const Through found = rows.through(row, sums);
      return fold(back.of(found.g, found.centred));
    };
    for_pairs<Multiplier>(product, column, [&](std::int64_t row, const Halves& sums, const Halves& next) FOVEA_BF16 {
      const __m512i first = one(row, sums), second = row + 1 < product.rows ? one(row + 1, next) : _mm512_setzero_si512();
      put(pairs_of(first, second), data, out.half, out.place + row);
    });
  }
}

template <class Multiplier>
FOVEA_BF16 void norm_sums(const Product& product, const float* mean, const GradientBlocks& g, const std::int32_t* plain,
                          float* sums_of_columns, float* products) {
  for (std::int64_t column = 0; column < blocks_of(product.columns); ++column) {
    const Channels middle = block_of(mean, column);
    GroupSums total;
    for_rows<Multiplier>(product, column, [&](std::int64_t row, const Halves& sums) FOVEA_BF16 {
      if (plain[row] < 0) return;
      total.add(gradient_at(g, column, row), Channels{sums.even, sums.odd} - middle);
    });
    total.end(Group(column * kBlock, product.columns), sums_of_columns, products);
  }
}

template <class Multiplier>
FOVEA_BF16 void through_norm(const Product& product, const NormBackward& by, const GradientBlocks& g, const BlocksAndPairs& out) {
  for (std::int64_t column = 0; column < blocks_of(product.columns); ++column) {
    const Back back(by, column);
    Bf16* const data = out.blocks + column * out.block;
    Bf16* const even = out.pairs + 2 * column * out.half;
    const auto one = [&](std::int64_t row, const Halves& sums) FOVEA_BF16 {
      return fold(back.of(gradient_at(g, column, row), Channels{sums.even, sums.odd} - back.mean));
    };
    for_pairs<Multiplier>(product, column, [&](std::int64_t row, const Halves& sums, const Halves& next) FOVEA_BF16 {
      const __m512i first = one(row, sums), second = one(row + 1, next);
      _mm512_store_si512(data + row * kBlock, first);
      _mm512_store_si512(data + (row + 1) * kBlock, second);
      const Pairs pairs = pairs_of(first, second);
      _mm512_store_si512(even + row * 16, pairs.even);
      _mm512_store_si512(even + out.half + row * 16, pairs.odd);
    });
  }
}

template <class Multiplier>
constexpr LiveProductKernels kKernels{expand<Multiplier>, gradient_sums<Multiplier>, gradient<Multiplier>, norm_sums<Multiplier>,
                                      through_norm<Multiplier>};

}  // namespace

LiveProductKernels live_product_kernels(Unit unit) { return unit == Unit::kTiles ? kKernels<Tiles> : kKernels<Vectors>; }

}  // namespace fovea::cpu::bf16

#endif
