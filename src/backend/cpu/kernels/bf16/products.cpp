// SPDX-License-Identifier: Apache-2.0
#include "backend/cpu/kernels/bf16/products.h"

#include "backend/cpu/kernels/bf16/intrinsics.h"

#if FOVEA_HAS_BF16

#include "backend/cpu/kernels/bf16/multiply.h"
#include "backend/cpu/kernels/bf16/pairs.h"
#include "backend/cpu/kernels/bf16/vectors.h"

namespace fovea::cpu::bf16 {
namespace {

/// body(row, sums of it, sums of the next row) for all rows of a column block, whose number is even.
template <class Multiplier, class Lanes, class Body>
FOVEA_BF16_INLINE void for_rows(const Product& p, std::int64_t column, const float* bias, const Body& body) {
  for (std::int64_t row = 0; row < p.rows; row += Multiplier::kRows) {
    if (p.upcoming != nullptr) fetch(p.upcoming->next(), Multiplier::kRows / 8);
    Multiplier::template multiply<Lanes>(p, row, column, bias, body);
  }
}

/// A block's numbers in an order, the first half of them and the second: zeros from `count` on.
FOVEA_BF16_INLINE Halves load_ordered(const float* from, std::int64_t count, Order order) {
  const __m512 low = _mm512_maskz_loadu_ps(first_lanes(count), from);
  const __m512 high = _mm512_maskz_loadu_ps(first_lanes(count - 16), from + 16);
  if (order == Order::kNatural) return {low, high};
  const __m512i even = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
  return {_mm512_permutex2var_ps(low, even, high),
          _mm512_permutex2var_ps(low, _mm512_add_epi32(even, _mm512_set1_epi32(1)), high)};
}

/// A block's even and odd channels in their own order: the first half of them and the second.
FOVEA_BF16_INLINE Halves in_order(__m512 even, __m512 odd) {
  const __m512i low = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
  const __m512i high = _mm512_setr_epi32(8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
  return {_mm512_permutex2var_ps(even, low, odd), _mm512_permutex2var_ps(even, high, odd)};
}

}  // namespace

FOVEA_BF16 void pack_operand(const float* source, std::int64_t depth, std::int64_t columns, std::int64_t depth_stride,
                             std::int64_t column_stride, Order depth_order, Order column_order, std::int64_t column_block,
                             Bf16* packed) {
  const auto first_row = [&](std::int64_t k, std::int64_t n) { return source + k * depth_stride + n * column_stride; };
  const std::int64_t first_column = column_block * kBlock;
  for (std::int64_t block = 0; block < blocks_of(depth); ++block) {
    const std::int64_t first_depth = block * kBlock;
    // A tile holds pairs: row i is elements 2 i and 2 i + 1 of each of its columns.
    Bf16* const to = packed + (column_block * blocks_of(depth) + block) * 2 * kTile;
    if (column_stride == 1) {
      for (std::int64_t i = 0; i < kBlock; i += 2) {
        Halves rows[2];
        for (std::int64_t j = 0; j < 2; ++j) {
          const std::int64_t k = first_depth + channel_at(depth_order, i + j);
          rows[j] = load_ordered(first_row(k, first_column), k < depth ? columns - first_column : 0, column_order);
        }
        _mm512_store_si512(to + i * 16, round_interleaved(rows[0].even, rows[1].even));
        _mm512_store_si512(to + kTile + i * 16, round_interleaved(rows[0].odd, rows[1].odd));
      }
      continue;
    }
    for (std::int64_t half = 0; half < kBlock; half += 16) {
      __m512i pairs[16];
      for (std::int64_t i = 0; i < 16; ++i) {
        const std::int64_t n = first_column + channel_at(column_order, half + i);
        const Halves column = load_ordered(first_row(first_depth, n), n < columns ? depth - first_depth : 0, depth_order);
        pairs[i] = round_in_turn(column.even, column.odd);
      }
      transpose(pairs);
      for (std::int64_t i = 0; i < 16; ++i) _mm512_store_si512(to + half * kBlock + i * kBlock, pairs[i]);
    }
  }
}

namespace {

/// 32 numbers of a row of which `count` are left.
FOVEA_BF16_INLINE __m512i rounded(const float* x, std::int64_t count) {
  return round_in_turn(_mm512_maskz_loadu_ps(first_lanes(count), x), _mm512_maskz_loadu_ps(first_lanes(count - 16), x + 16));
}
FOVEA_BF16_INLINE __m512i rounded(const Bf16* x, std::int64_t count) {
  if (count >= kBlock) return _mm512_loadu_si512(x);
  // By pairs where that is possible: masks of single numbers are slower.
  return count % 2 == 0 ? _mm512_maskz_loadu_epi32(first_lanes(count / 2), x) : _mm512_maskz_loadu_epi16(first_numbers(count), x);
}

constexpr std::int64_t kAhead = 4096;  ///< bytes

template <class Number>
FOVEA_BF16 void rows_to_blocks(const Number* x, std::int64_t positions, std::int64_t channels, const Scattered& out) {
  for (std::int64_t p = 0; p < positions; ++p, x += channels) {
    Bf16* to = out.data + (out.place == nullptr ? p * kBlock : out.place[p]);
    for (std::int64_t c = 0; c < channels; c += kBlock, to += out.block) {
      _mm_prefetch(reinterpret_cast<const char*>(x + c) + kAhead, _MM_HINT_T0);
      _mm512_store_si512(to, rounded(x + c, channels - c));
    }
  }
}

}  // namespace

void to_blocks(const Numbers& x, std::int64_t positions, std::int64_t channels, const Scattered& out) {
  x.rounded ? rows_to_blocks(static_cast<const Bf16*>(x.data), positions, channels, out)
            : rows_to_blocks(static_cast<const float*>(x.data), positions, channels, out);
}

namespace {

template <class Number>
FOVEA_BF16 void rows_to_pairs(const Number* x, std::int64_t rows, std::int64_t width, std::int64_t channels,
                              const ScatteredPairs& out) {
  for (std::int64_t row = 0; row < rows; ++row, x += width * channels) {
    Bf16* to = out.data + out.place[row * width];
    const char* ahead = reinterpret_cast<const char*>(x + width * channels);
    for (std::int64_t c = 0; c < channels; c += kBlock, to += 2 * out.half) {
      for (std::int64_t j = 0; j < width; j += 2, ahead += 128) {
        const Number* const here = x + j * channels + c;
        _mm_prefetch(ahead, _MM_HINT_T0);
        _mm_prefetch(ahead + 64, _MM_HINT_T0);
        const __m512i second = j + 1 < width ? rounded(here + channels, channels - c) : _mm512_setzero_si512();
        const Pairs pairs = pairs_of(rounded(here, channels - c), second);
        _mm512_store_si512(to + j * 16, pairs.even);
        _mm512_store_si512(to + out.half + j * 16, pairs.odd);
      }
    }
  }
}

}  // namespace

void to_pairs(const Numbers& x, std::int64_t rows, std::int64_t width, std::int64_t channels, const ScatteredPairs& out) {
  x.rounded ? rows_to_pairs(static_cast<const Bf16*>(x.data), rows, width, channels, out)
            : rows_to_pairs(static_cast<const float*>(x.data), rows, width, channels, out);
}

FOVEA_BF16 void from_pairs(const ScatteredPairs& pairs, std::int64_t rows, std::int64_t width, std::int64_t channels, Bf16* x) {
  const bool stream = channels % kBlock == 0 && reinterpret_cast<std::uintptr_t>(x) % 64 == 0;
  const auto put_row = [&](Bf16* to, std::int64_t count, __m512i numbers) FOVEA_BF16 {
    stream ? _mm512_stream_si512(reinterpret_cast<__m512i*>(to), numbers)
           : _mm512_mask_storeu_epi16(to, first_numbers(count), numbers);
  };
  for (std::int64_t row = 0; row < rows; ++row) {
    for (std::int64_t j = 0; j < width; j += 2, x += 2 * channels) {
      const Bf16* from = pairs.data + pairs.place[row * width + j];
      for (std::int64_t c = 0; c < channels; c += kBlock, from += 2 * pairs.half) {
        const Pairs both = pairs_of(_mm512_load_si512(from), _mm512_load_si512(from + pairs.half));
        put_row(x + c, channels - c, both.even);
        if (j + 1 < width) put_row(x + channels + c, channels - c, both.odd);
      }
    }
    if (width % 2 != 0) x -= channels;
  }
  if (stream) _mm_sfence();
}

FOVEA_BF16 void turn(const Bf16* a, std::int64_t a_block, std::int64_t positions, std::int64_t channels, Bf16* out) {
  for (std::int64_t tile = 0; tile < tiles_of(channels); ++tile) {
    const Bf16* from = a + tile / 2 * a_block + tile % 2 * 16;
    for (std::int64_t first = 0; first < positions; first += 32) {
      __m512i pairs[16];
      for (int i = 0; i < 16; ++i) {
        const Bf16* row = from + (first + 2 * i) * kBlock;
        const __m512i even = _mm512_cvtepu16_epi32(_mm256_load_si256(reinterpret_cast<const __m256i*>(row)));
        const __m512i odd = _mm512_cvtepu16_epi32(_mm256_load_si256(reinterpret_cast<const __m256i*>(row + kBlock)));
        pairs[i] = _mm512_or_si512(even, _mm512_slli_epi32(odd, 16));
      }
      transpose(pairs);
      for (const __m512i& row : pairs) {
        _mm512_store_si512(out, row);
        out += 32;
      }
    }
  }
}

FOVEA_BF16 void add_rows(const Bf16* x, std::int64_t rows, std::int64_t channels, float* y) {
  constexpr std::int64_t kTogether = 4;  // sums of their own, so that none waits for another
  for (std::int64_t c = 0; c < channels; c += kBlock) {
    const __mmask32 mask = first_numbers(channels - c);
    __m512 even[kTogether] = {}, odd[kTogether] = {};
    for (std::int64_t row = 0; row < rows; row += kTogether) {
      for (std::int64_t i = 0; i < kTogether; ++i) {
        const std::int64_t at = row + i < rows ? row + i : row;
        const __m512i numbers = _mm512_maskz_loadu_epi16(row + i < rows ? mask : 0, x + at * channels + c);
        even[i] = _mm512_add_ps(even[i], even_half(numbers));
        odd[i] = _mm512_add_ps(odd[i], odd_half(numbers));
      }
    }
    const Halves total = in_order(_mm512_add_ps(_mm512_add_ps(even[0], even[1]), _mm512_add_ps(even[2], even[3])),
                                  _mm512_add_ps(_mm512_add_ps(odd[0], odd[1]), _mm512_add_ps(odd[2], odd[3])));
    const __mmask16 low = first_lanes(channels - c), high = first_lanes(channels - c - 16);
    _mm512_mask_storeu_ps(y + c, low, _mm512_add_ps(total.even, _mm512_maskz_loadu_ps(low, y + c)));
    _mm512_mask_storeu_ps(y + c + 16, high, _mm512_add_ps(total.odd, _mm512_maskz_loadu_ps(high, y + c + 16)));
  }
}

namespace {

/// Those of 16 numbers that a mask tells.
FOVEA_BF16_INLINE __m512 load_numbers(const Numbers& from, std::int64_t at, __mmask16 mask) {
  if (!from.rounded) return _mm512_maskz_loadu_ps(mask, static_cast<const float*>(from.data) + at);
  const __m256i numbers = _mm256_maskz_loadu_epi16(mask, static_cast<const Bf16*>(from.data) + at);
  return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(numbers), 16));
}

/// Of a row's numbers, those of a mask: all of them where they are streamed.
template <bool kRounded>
FOVEA_BF16_INLINE void put_plain(const Plain& out, std::int64_t at, __mmask16 mask, const Limits& limits, __m512 value) {
  if (out.plus.data != nullptr) value = _mm512_add_ps(value, load_numbers(out.plus, at, mask));
  if (out.seen.data != nullptr) value = limits.through(load_numbers(out.seen, at, mask), value);
  if constexpr (kRounded) {
    auto* const to = static_cast<Bf16*>(out.data) + at;
    const auto numbers = (__m256i)_mm512_cvtneps_pbh(value);
    out.stream ? _mm256_stream_si256(reinterpret_cast<__m256i*>(to), numbers) : _mm256_mask_storeu_epi16(to, mask, numbers);
  } else {
    float* const to = static_cast<float*>(out.data) + at;
    out.stream ? _mm512_stream_ps(to, value) : _mm512_mask_storeu_ps(to, mask, value);
  }
}

template <bool kRounded>
FOVEA_BF16 void halves_to(const float* exact, std::int64_t exact_half, std::int64_t positions, const Plain& out) {
  const Limits limits(out.activation);
  for (std::int64_t p = 0; p < positions; ++p) {
    if (out.plain[p] < 0) continue;
    for (std::int64_t c = 0; c < out.columns; c += kBlock) {
      const float* even = exact + c / kBlock * 2 * exact_half + p * 16;
      const std::int64_t at = out.plain[p] * out.columns + c;
      const Halves row = in_order(_mm512_load_ps(even), _mm512_load_ps(even + exact_half));
      put_plain<kRounded>(out, at, first_lanes(out.columns - c), limits, row.even);
      if (out.columns - c > 16) put_plain<kRounded>(out, at + 16, first_lanes(out.columns - c - 16), limits, row.odd);
    }
  }
  if (out.stream) _mm_sfence();
}

}  // namespace

void from_halves(const float* exact, std::int64_t exact_half, std::int64_t positions, const Plain& out) {
  out.rounded ? halves_to<true>(exact, exact_half, positions, out) : halves_to<false>(exact, exact_half, positions, out);
}

namespace {

template <class Multiplier>
FOVEA_BF16 void expand(const Product& product, const float* bias, graph::Activation activation, const ScatteredPairs& out) {
  const RoundedLimits limits(activation);
  for (std::int64_t column = 0; column < blocks_of(product.columns); ++column) {
    Bf16* const data = out.data + 2 * column * out.half;
    const auto put_rows = [&](std::int64_t row, const Halves& first, const Halves& second) FOVEA_BF16 {
      const Pairs rows{limits.clamp(round_interleaved(first.even, second.even)),
                       limits.clamp(round_interleaved(first.odd, second.odd))};
      put(rows, data, out.half, out.place + row);
    };
    by_wanted(product.columns - column * kBlock, Order::kEvenOdd, [&](auto wanted) FOVEA_BF16 {
      for_rows<Multiplier, decltype(wanted)>(product, column, bias + column * kBlock, put_rows);
    });
  }
}

template <class Multiplier>
FOVEA_BF16 void gradient(const Product& product, graph::Activation activation, const Bf16* seen, std::int64_t seen_half,
                         const ScatteredPairs& out, float* sums_of_columns) {
  const Limits limits(activation);
  for (std::int64_t column = 0; column < blocks_of(product.columns); ++column) {
    Bf16* const data = out.data + 2 * column * out.half;
    const Bf16* const seen_even = seen + 2 * column * seen_half;
    const Bf16* const seen_odd = seen_even + seen_half;
    float* const total = sums_of_columns + column * kBlock;
    __m512 total_even = _mm512_load_ps(total), total_odd = _mm512_load_ps(total + 16);
    const auto through = [&](__m512i output, __m512 first, __m512 second, __m512& sum) FOVEA_BF16 {
      first = limits.through(even_half(output), first);
      second = limits.through(odd_half(output), second);
      sum = _mm512_add_ps(_mm512_add_ps(sum, first), second);
      return round_interleaved(first, second);
    };
    const auto put_rows = [&](std::int64_t row, const Halves& first, const Halves& second) FOVEA_BF16 {
      Bf16* const to = data + out.place[row];
      _mm512_store_si512(to, through(_mm512_load_si512(seen_even + row * 16), first.even, second.even, total_even));
      _mm512_store_si512(to + out.half, through(_mm512_load_si512(seen_odd + row * 16), first.odd, second.odd, total_odd));
    };
    by_wanted(product.columns - column * kBlock, Order::kEvenOdd,
              [&](auto wanted) FOVEA_BF16 { for_rows<Multiplier, decltype(wanted)>(product, column, nullptr, put_rows); });
    _mm512_store_ps(total, total_even);
    _mm512_store_ps(total + 16, total_odd);
  }
}

template <class Multiplier, bool kRounded>
FOVEA_BF16 void narrow_to(const Product& product, const float* bias, const Plain& out) {
  const Limits limits(out.activation);
  for (std::int64_t column = 0; column < blocks_of(product.columns); ++column) {
    const std::int64_t first_column = column * kBlock;
    const __mmask16 low = first_lanes(out.columns - first_column), high = first_lanes(out.columns - first_column - 16);
    const bool both = out.columns - first_column > 16;
    const auto put_row = [&](std::int64_t row, const Halves& sums) FOVEA_BF16 {
      if (out.plain[row] < 0) return;
      const std::int64_t at = out.plain[row] * out.columns + first_column;
      put_plain<kRounded>(out, at, low, limits, sums.even);
      if (both) put_plain<kRounded>(out, at + 16, high, limits, sums.odd);
    };
    const auto put_rows = [&](std::int64_t row, const Halves& first, const Halves& second) FOVEA_BF16 {
      put_row(row, first);
      if (row + 1 < product.rows) put_row(row + 1, second);
    };
    const float* const start = bias == nullptr ? nullptr : bias + first_column;
    by_wanted(out.columns - first_column, Order::kNatural,
              [&](auto wanted) FOVEA_BF16 { for_rows<Multiplier, decltype(wanted)>(product, column, start, put_rows); });
  }
  if (out.stream) _mm_sfence();
}

template <class Multiplier>
void narrow(const Product& product, const float* bias, const Plain& out) {
  out.rounded ? narrow_to<Multiplier, true>(product, bias, out) : narrow_to<Multiplier, false>(product, bias, out);
}

template <class Multiplier>
FOVEA_BF16 void outer(const Bf16* a, std::int64_t channels, std::int64_t positions, const Bf16* b, std::int64_t b_half,
                      std::int64_t columns, float* sums) {
  for (std::int64_t block = 0; block < blocks_of(columns); ++block) {
    const Bf16* const even = b + 2 * block * b_half;
    float* const to = sums + block * tiles_of(channels) * 16 * kBlock;
    by_wanted(columns - block * kBlock, Order::kEvenOdd, [&](auto wanted) FOVEA_BF16 {
      Multiplier::template outer<decltype(wanted)>(a, channels, positions, even, even + b_half, to);
    });
  }
}

template <class Multiplier>
constexpr ProductKernels kKernels{expand<Multiplier>, gradient<Multiplier>, narrow<Multiplier>, outer<Multiplier>};

}  // namespace

ProductKernels product_kernels(Unit unit) { return unit == Unit::kTiles ? kKernels<Tiles> : kKernels<Vectors>; }

}  // namespace fovea::cpu::bf16

#endif
