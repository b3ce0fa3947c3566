// Fovea: sums of products of bf16 numbers on either unit, by pieces of a column block (layouts: products.h).
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "backend/cpu/kernels/bf16/intrinsics.h"

#if FOVEA_HAS_BF16

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "backend/cpu/kernels/bf16/products.h"

namespace fovea::cpu::bf16 {

inline constexpr std::int64_t kRowBytes = 64;
inline constexpr std::int64_t kTileBytes = 1024;

/// A row of a column block: the columns of its first tile, and those of its second.
struct Halves {
  __m512 even, odd;
};

/// How many of the 16 columns of each of a block's two tiles are wanted: 16, 8 or 0.
template <int kFirstLanes, int kSecondLanes>
struct Wanted {
  static constexpr int kFirst = kFirstLanes, kSecond = kSecondLanes;
};
/// body(Wanted<...>()) for a column block that is the last one where `left` columns or fewer are left. In their own order they
/// fill the first tile before the second; even and odd ones share both.
template <class Body>
FOVEA_BF16_INLINE void by_wanted(std::int64_t left, Order order, const Body& body) {
  if (order == Order::kEvenOdd) return left > 16 ? body(Wanted<16, 16>()) : body(Wanted<8, 8>());
  if (left > 24) return body(Wanted<16, 16>());
  left > 16 ? body(Wanted<16, 8>()) : body(Wanted<16, 0>());
}

/// Each unit has
///   kRows             rows of a product that it makes at once
///   multiply          those from `row` on, of a column block, start as `bias` and are given to `body`, two by two; what body is
///                     given for columns that are not Wanted does not matter
///   outer             of one block of b: sums (channels, 32) += a b, b as its even and its odd half
struct Tiles {
  static constexpr std::int64_t kRows = 32;

  template <class Lanes, class Body>
  FOVEA_BF16_INLINE static void multiply(const Product& p, std::int64_t row, std::int64_t column, const float* bias,
                                         const Body& body) {
    alignas(64) float sums[kRows * kBlock];
    const std::int64_t count = std::min(kRows, p.rows - row);
    count > 16 ? rows<2>(p, row, column, bias, sums) : rows<1>(p, row, column, bias, sums);
    const float* at = sums;
    for (std::int64_t i = 0; i < count; i += 2, at += 2 * kBlock) {
      body(row + i, Halves{_mm512_load_ps(at), _mm512_load_ps(at + 16)},
           Halves{_mm512_load_ps(at + 32), _mm512_load_ps(at + 48)});
    }
  }

  template <class Lanes>
  FOVEA_BF16_INLINE static void outer(const Bf16* a, std::int64_t channels_of_a, std::int64_t positions, const Bf16* even,
                                      const Bf16* odd, float* sums) {
    const std::int64_t position_tiles = blocks_of(positions);
    for (std::int64_t tile = 0; tile < tiles_of(channels_of_a); tile += 2) {
      float* const at = sums + tile * 16 * kBlock;
      const Bf16* const rows = a + tile * position_tiles * kTile;
      tile + 1 < tiles_of(channels_of_a) ? channels<2>(rows, position_tiles, even, odd, at)
                                         : channels<1>(rows, position_tiles, even, odd, at);
    }
  }

 private:
  static constexpr std::int64_t kSumsRow = 128;  // bytes

  template <int kM>
  FOVEA_BF16_INLINE static void rows(const Product& p, std::int64_t row, std::int64_t column, const float* bias, float* sums) {
    const auto* a = reinterpret_cast<const char*>(p.a) + row * kRowBytes;
    const std::int64_t depth_blocks = blocks_of(p.depth);
    const auto* b = reinterpret_cast<const char*>(p.b) + column * depth_blocks * 2 * kTileBytes;
    const std::int64_t a_next = p.a_block * 2;
    fence();
    if (bias != nullptr) {
      _tile_loadd(0, bias, 0);
      _tile_loadd(1, bias + 16, 0);
      if constexpr (kM == 2) {
        _tile_loadd(2, bias, 0);
        _tile_loadd(3, bias + 16, 0);
      }
    } else {
      _tile_zero(0);
      _tile_zero(1);
      if constexpr (kM == 2) {
        _tile_zero(2);
        _tile_zero(3);
      }
    }
    for (std::int64_t k = 0; k < depth_blocks; ++k) {
      _tile_loadd(6, b, kRowBytes);
      _tile_loadd(4, a, kRowBytes);
      _tile_dpbf16ps(0, 4, 6);
      _tile_loadd(7, b + kTileBytes, kRowBytes);
      _tile_dpbf16ps(1, 4, 7);
      if constexpr (kM == 2) {
        _tile_loadd(5, a + kTileBytes, kRowBytes);
        _tile_dpbf16ps(2, 5, 6);
        _tile_dpbf16ps(3, 5, 7);
      }
      a += a_next;
      b += 2 * kTileBytes;
    }
    _tile_stored(0, sums, kSumsRow);
    _tile_stored(1, sums + 16, kSumsRow);
    if constexpr (kM == 2) {
      _tile_stored(2, sums + 512, kSumsRow);
      _tile_stored(3, sums + 528, kSumsRow);
    }
    fence();
  }

  template <int kM>
  FOVEA_BF16_INLINE static void channels(const Bf16* a, std::int64_t position_tiles, const Bf16* even, const Bf16* odd,
                                         float* sums) {
    fence();
    _tile_loadd(0, sums, kSumsRow);
    _tile_loadd(1, sums + 16, kSumsRow);
    if constexpr (kM == 2) {
      _tile_loadd(2, sums + 512, kSumsRow);
      _tile_loadd(3, sums + 528, kSumsRow);
    }
    for (std::int64_t k = 0; k < position_tiles; ++k) {
      _tile_loadd(4, a + k * kTile, kRowBytes);
      _tile_loadd(6, even + k * kTile, kRowBytes);
      _tile_dpbf16ps(0, 4, 6);
      _tile_loadd(7, odd + k * kTile, kRowBytes);
      _tile_dpbf16ps(1, 4, 7);
      if constexpr (kM == 2) {
        _tile_loadd(5, a + (position_tiles + k) * kTile, kRowBytes);
        _tile_dpbf16ps(2, 5, 6);
        _tile_dpbf16ps(3, 5, 7);
      }
    }
    if constexpr (kM == 2) {
      _tile_stored(2, sums + 512, kSumsRow);
      _tile_stored(3, sums + 528, kSumsRow);
    }
    _tile_stored(0, sums, kSumsRow);
    _tile_stored(1, sums + 16, kSumsRow);
    fence();
  }
};

/// Floats of a vector of which the first kLanes are summed: half a vector takes half the time where vectors go through the unit
/// in two halves.
template <int kLanes>
struct Floats;
template <>
struct Floats<16> {
  __m512 sum;
  FOVEA_BF16_INLINE void load(const float* from) { sum = from == nullptr ? _mm512_setzero_ps() : _mm512_load_ps(from); }
  FOVEA_BF16_INLINE void add(__m512i factor, __m512i b) { sum = _mm512_dpbf16_ps(sum, (__m512bh)factor, (__m512bh)b); }
  [[nodiscard]] FOVEA_BF16_INLINE __m512 whole() const { return sum; }
};
template <>
struct Floats<8> {
  __m256 sum;
  FOVEA_BF16_INLINE void load(const float* from) { sum = from == nullptr ? _mm256_setzero_ps() : _mm256_load_ps(from); }
  FOVEA_BF16_INLINE void add(__m512i factor, __m512i b) {
    sum = _mm256_dpbf16_ps(sum, (__m256bh)_mm512_castsi512_si256(factor), (__m256bh)_mm512_castsi512_si256(b));
  }
  [[nodiscard]] FOVEA_BF16_INLINE __m512 whole() const { return _mm512_zextps256_ps512(sum); }
};
template <>
struct Floats<0> {
  FOVEA_BF16_INLINE void load(const float* /*from*/) {}
  FOVEA_BF16_INLINE void add(__m512i /*factor*/, __m512i /*b*/) {}
  [[nodiscard]] FOVEA_BF16_INLINE __m512 whole() const { return _mm512_setzero_ps(); }
};

struct Vectors {
  static constexpr std::int64_t kRows = 8;

  template <class Lanes, class Body>
  FOVEA_BF16_INLINE static void multiply(const Product& p, std::int64_t row, std::int64_t column, const float* bias,
                                         const Body& body) {
    Sums<Lanes> here;
    for (int i = 0; i < kRows; ++i) here.load(i, bias, bias == nullptr ? nullptr : bias + 16);
    const Bf16* a = p.a + row * kBlock;
    const Bf16* b = p.b + column * blocks_of(p.depth) * 2 * kTile;
    std::int64_t depth = p.depth;
    for (; depth >= kBlock; depth -= kBlock, a += p.a_block, b += 2 * kTile) here.template add<16>(a, b, b + kTile);
    for (; depth > 0; depth -= p.depth_order == Order::kEvenOdd ? 16 : 8, a += 8, b += kTile / 4) {
      here.template add<4>(a, b, b + kTile);
      if (p.depth_order == Order::kEvenOdd) here.template add<4>(a + 16, b + kTile / 2, b + kTile + kTile / 2);
    }
#pragma GCC unroll 4
    for (int i = 0; i < kRows; i += 2) {
      if (row + i >= p.rows) break;
      body(row + i, here.row(i), here.row(i + 1));
    }
  }

  template <class Lanes>
  FOVEA_BF16_INLINE static void outer(const Bf16* a, std::int64_t channels, std::int64_t positions, const Bf16* even,
                                      const Bf16* odd, float* sums) {
    for (std::int64_t row = 0; row < channels; row += kRows) {
      const Bf16* from = a + row / 16 * blocks_of(positions) * kTile + row % 16 * kBlock;
      float* const at = sums + row * kBlock;
      Sums<Lanes> here;
      for (int i = 0; i < kRows; ++i) here.load(i, at + i * kBlock, at + i * kBlock + 16);
      std::int64_t left = positions, k = 0;
      for (; left >= 32; left -= 32, k += kTile, from += kTile) here.template add<16>(from, even + k, odd + k);
      for (; left > 0; left -= 8, k += kTile / 4, from += 8) here.template add<4>(from, even + k, odd + k);
      for (int i = 0; i < kRows; ++i) {
        const Halves row_sums = here.row(i);
        _mm512_store_ps(at + i * kBlock, row_sums.even);
        _mm512_store_ps(at + i * kBlock + 16, row_sums.odd);
      }
    }
  }

 private:
  /// (kRows, 32), in registers.
  template <class Lanes>
  struct Sums {
    Floats<Lanes::kFirst> first[kRows];
    Floats<Lanes::kSecond> second[kRows];

    FOVEA_BF16_INLINE void load(int i, const float* from_first, const float* from_second) {
      first[i].load(from_first);
      second[i].load(from_second);
    }
    [[nodiscard]] FOVEA_BF16_INLINE Halves row(int i) const { return {first[i].whole(), second[i].whole()}; }

    /// Rows of a tile of a, times two tiles, over kPairs pairs.
    template <int kPairs>
    FOVEA_BF16_INLINE void add(const Bf16* a, const Bf16* b_first, const Bf16* b_second) {
#pragma GCC unroll 16
      for (int pair = 0; pair < kPairs; ++pair) {
        const __m512i in_first = _mm512_load_si512(b_first + pair * 32);
        const __m512i in_second = _mm512_load_si512(b_second + pair * 32);
#pragma GCC unroll 8
        for (int i = 0; i < kRows; ++i) {
          std::int32_t both;
          std::memcpy(&both, a + i * kBlock + pair * 2, sizeof both);
          const __m512i factor = _mm512_set1_epi32(both);
          first[i].add(factor, in_first);
          second[i].add(factor, in_second);
        }
      }
    }
  };
};

}  // namespace fovea::cpu::bf16

#endif
