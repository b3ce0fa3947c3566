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

/// Each unit has
///   kRows             rows of a product that it makes at once
///   multiply          those from `row` on, of a column block, start as `bias` and are given to `body`, two by two; without kBoth
///                     the block has 16 columns at most, and what body is given for others does not matter
///   outer             of one block of b: sums (channels, 32) += a b, b as its even and its odd half
struct Tiles {
  static constexpr std::int64_t kRows = 32;

  template <bool kBoth, class Body>
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

struct Vectors {
  static constexpr std::int64_t kRows = 8;

  template <bool kBoth, class Body>
  FOVEA_BF16_INLINE static void multiply(const Product& p, std::int64_t row, std::int64_t column, const float* bias,
                                         const Body& body) {
    Sums here;
    for (int i = 0; i < kRows; ++i) {
      here.even[i] = bias == nullptr ? _mm512_setzero_ps() : _mm512_load_ps(bias);
      here.odd[i] = bias == nullptr ? _mm512_setzero_ps() : _mm512_load_ps(bias + 16);
    }
    const Bf16* a = p.a + row * kBlock;
    const Bf16* b = p.b + column * blocks_of(p.depth) * 2 * kTile;
    std::int64_t depth = p.depth;
    for (; depth >= kBlock; depth -= kBlock, a += p.a_block, b += 2 * kTile) here.template add<16, kBoth>(a, b, b + kTile);
    for (; depth > 0; depth -= 8, a += 8, b += kTile / 4) here.template add<4, kBoth>(a, b, b + kTile);
#pragma GCC unroll 4
    for (int i = 0; i < kRows; i += 2) {
      if (row + i >= p.rows) break;
      body(row + i, Halves{here.even[i], here.odd[i]}, Halves{here.even[i + 1], here.odd[i + 1]});
    }
  }

  FOVEA_BF16_INLINE static void outer(const Bf16* a, std::int64_t channels, std::int64_t positions, const Bf16* even,
                                      const Bf16* odd, float* sums) {
    for (std::int64_t row = 0; row < channels; row += kRows) {
      const Bf16* from = a + row / 16 * blocks_of(positions) * kTile + row % 16 * kBlock;
      float* const at = sums + row * kBlock;
      Sums here;
      for (int i = 0; i < kRows; ++i) {
        here.even[i] = _mm512_load_ps(at + i * kBlock);
        here.odd[i] = _mm512_load_ps(at + i * kBlock + 16);
      }
      std::int64_t left = positions, k = 0;
      for (; left >= 32; left -= 32, k += kTile, from += kTile) here.template add<16, true>(from, even + k, odd + k);
      for (; left > 0; left -= 8, k += kTile / 4, from += 8) here.template add<4, true>(from, even + k, odd + k);
      here.store(at);
    }
  }

 private:
  /// (kRows, 32), in registers.
  struct Sums {
    __m512 even[kRows], odd[kRows];

    /// Rows of a tile of a, times two tiles, over kPairs pairs.
    template <int kPairs, bool kBoth>
    FOVEA_BF16_INLINE void add(const Bf16* a, const Bf16* b_even, const Bf16* b_odd) {
#pragma GCC unroll 16
      for (int pair = 0; pair < kPairs; ++pair) {
        const auto first = (__m512bh)_mm512_load_si512(b_even + pair * 32);
        const auto second = (__m512bh)_mm512_load_si512(b_odd + pair * 32);
#pragma GCC unroll 8
        for (int i = 0; i < kRows; ++i) {
          std::int32_t both;
          std::memcpy(&both, a + i * kBlock + pair * 2, sizeof both);
          const auto factor = (__m512bh)_mm512_set1_epi32(both);
          even[i] = _mm512_dpbf16_ps(even[i], factor, first);
          if constexpr (kBoth) odd[i] = _mm512_dpbf16_ps(odd[i], factor, second);
        }
      }
    }
    FOVEA_BF16_INLINE void store(float* to) const {
      for (int i = 0; i < kRows; ++i) {
        _mm512_store_ps(to + i * kBlock, even[i]);
        _mm512_store_ps(to + i * kBlock + 16, odd[i]);
      }
    }
  };
};

}  // namespace fovea::cpu::bf16

#endif
