// SPDX-License-Identifier: Apache-2.0
#include "backend/cpu/amx/products.h"

#include "backend/cpu/amx/intrinsics.h"

#if FOVEA_HAS_AMX

#include <algorithm>
#include <limits>

#include "backend/cpu/amx/vectors.h"
#include "core/dtype.h"

namespace fovea::cpu::amx {
namespace {

constexpr std::int64_t kRowBytes = 64;
constexpr std::int64_t kTileBytes = 1024;

/// kM 16 rows from `row` on, one column block: sums (kM 16, 32), which start as `bias` (32).
template <int kM>
FOVEA_AMX_INLINE void multiply(const Product& p, std::int64_t row, std::int64_t column, const float* bias, float* sums) {
  const auto* a = reinterpret_cast<const char*>(p.a) + row * kRowBytes;
  const auto* b = reinterpret_cast<const char*>(p.b) + column * p.depth_blocks * 2 * kTileBytes;
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
  for (std::int64_t k = 0; k < p.depth_blocks; ++k) {
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
  _tile_stored(0, sums, 128);
  _tile_stored(1, sums + 16, 128);
  if constexpr (kM == 2) {
    _tile_stored(2, sums + 512, 128);
    _tile_stored(3, sums + 528, 128);
  }
  fence();
}

/// body(first row, rows, sums) for all rows of a column block.
template <class Body>
FOVEA_AMX_INLINE void for_rows(const Product& p, std::int64_t column, const float* bias, const Body& body) {
  alignas(64) float sums[32 * 32];
  for (std::int64_t row = 0; row < p.rows; row += 32) {
    const std::int64_t count = std::min<std::int64_t>(32, p.rows - row);
    if (count > 16) {
      multiply<2>(p, row, column, bias, sums);
    } else {
      multiply<1>(p, row, column, bias, sums);
    }
    body(row, count, sums);
  }
}

/// 16 vectors of 16 32-bit numbers, turned around.
FOVEA_AMX_INLINE void transpose(__m512i (&r)[16]) {
  __m512i t[16];
  for (int i = 0; i < 8; ++i) {
    t[2 * i] = _mm512_unpacklo_epi32(r[2 * i], r[2 * i + 1]);
    t[2 * i + 1] = _mm512_unpackhi_epi32(r[2 * i], r[2 * i + 1]);
  }
  // Rows 4 i to 4 i + 3: r[4 i + j] holds column j of each quarter.
  for (int i = 0; i < 4; ++i) {
    r[4 * i] = _mm512_unpacklo_epi64(t[4 * i], t[4 * i + 2]);
    r[4 * i + 1] = _mm512_unpackhi_epi64(t[4 * i], t[4 * i + 2]);
    r[4 * i + 2] = _mm512_unpacklo_epi64(t[4 * i + 1], t[4 * i + 3]);
    r[4 * i + 3] = _mm512_unpackhi_epi64(t[4 * i + 1], t[4 * i + 3]);
  }
  for (int j = 0; j < 4; ++j) {
    const __m512i even0 = _mm512_shuffle_i32x4(r[j], r[4 + j], 0x88);
    const __m512i odd0 = _mm512_shuffle_i32x4(r[j], r[4 + j], 0xdd);
    const __m512i even1 = _mm512_shuffle_i32x4(r[8 + j], r[12 + j], 0x88);
    const __m512i odd1 = _mm512_shuffle_i32x4(r[8 + j], r[12 + j], 0xdd);
    t[j] = _mm512_shuffle_i32x4(even0, even1, 0x88);
    t[4 + j] = _mm512_shuffle_i32x4(odd0, odd1, 0x88);
    t[8 + j] = _mm512_shuffle_i32x4(even0, even1, 0xdd);
    t[12 + j] = _mm512_shuffle_i32x4(odd0, odd1, 0xdd);
  }
  for (int i = 0; i < 16; ++i) r[i] = t[i];
}

}  // namespace

void pack_operand(const float* source, std::int64_t depth, std::int64_t columns, std::int64_t depth_stride,
                  std::int64_t column_stride, Order depth_order, Order column_order, std::int64_t column_block, Bf16* packed) {
  // A tile of b holds pairs: row i is elements 2 i and 2 i + 1 of each of its columns.
  for (std::int64_t block = 0; block < blocks_of(depth); ++block) {
    Bf16* to = packed + (column_block * blocks_of(depth) + block) * 2 * kTile;
    for (std::int64_t index = 0; index < kBlock; ++index) {
      const std::int64_t n = column_block * kBlock + channel_at(column_order, index);
      Bf16* column = to + index / 16 * kTile + index % 16 * 2;
      for (std::int64_t i = 0; i < kBlock; ++i) {
        const std::int64_t k = block * kBlock + channel_at(depth_order, i);
        column[i / 2 * 32 + i % 2] =
            k < depth && n < columns ? f32_to_bf16(source[k * depth_stride + n * column_stride]) : Bf16{0};
      }
    }
  }
}

FOVEA_AMX void to_blocks(const float* x, std::int64_t positions, std::int64_t channels, const Scattered& out) {
  for (std::int64_t p = 0; p < positions; ++p) {
    Bf16* to = out.data + out.place[p];
    for (std::int64_t c = 0; c < channels; c += kBlock, to += out.block) {
      const __m512 low = _mm512_maskz_loadu_ps(first_lanes(channels - c), x + c);
      const __m512 high = _mm512_maskz_loadu_ps(first_lanes(channels - c - 16), x + c + 16);
      _mm512_store_si512(to, round_in_turn(low, high));
    }
    x += channels;
  }
}

FOVEA_AMX void turn(const Bf16* a, std::int64_t a_block, std::int64_t positions, std::int64_t channel_tiles, Bf16* out) {
  for (std::int64_t tile = 0; tile < channel_tiles; ++tile) {
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

FOVEA_AMX void expand(const Product& product, const float* bias, graph::Activation activation, const Scattered& out) {
  const Limits limits(activation);
  for (std::int64_t column = 0; column < product.column_blocks; ++column) {
    Bf16* const data = out.data + column * out.block;
    for_rows(product, column, bias + column * kBlock, [&](std::int64_t row, std::int64_t count, const float* sums) FOVEA_AMX {
      for (std::int64_t i = 0; i < count; ++i) {
        const std::int32_t place = out.place[row + i];
        if (place < 0) continue;
        const __m512 even = limits.clamp(_mm512_load_ps(sums + i * 32));
        const __m512 odd = limits.clamp(_mm512_load_ps(sums + i * 32 + 16));
        _mm512_store_si512(data + place, round_interleaved(even, odd));
      }
    });
  }
}

FOVEA_AMX void gradient(const Product& product, graph::Activation activation, const Bf16* seen, std::int64_t seen_half,
                        const Scattered& out, float* sums_of_columns) {
  const Limits limits(activation);
  for (std::int64_t column = 0; column < product.column_blocks; ++column) {
    Bf16* const data = out.data + column * out.block;
    const Bf16* const seen_even = seen + 2 * column * seen_half;
    const Bf16* const seen_odd = seen_even + seen_half;
    float* const total = sums_of_columns + column * kBlock;
    __m512 total_even = _mm512_load_ps(total), total_odd = _mm512_load_ps(total + 16);
    for_rows(product, column, nullptr, [&](std::int64_t row, std::int64_t count, const float* sums) FOVEA_AMX {
      for (std::int64_t i = 0; i < count; i += 2) {
        const __m512i pairs_even = _mm512_load_si512(seen_even + (row + i) * 16);
        const __m512i pairs_odd = _mm512_load_si512(seen_odd + (row + i) * 16);
        for (int j = 0; j < 2; ++j) {
          const std::int32_t place = out.place[row + i + j];
          if (place < 0) continue;
          const __m512 output_even = j == 0 ? even_half(pairs_even) : odd_half(pairs_even);
          const __m512 output_odd = j == 0 ? even_half(pairs_odd) : odd_half(pairs_odd);
          const __m512 even = limits.through(output_even, _mm512_load_ps(sums + (i + j) * 32));
          const __m512 odd = limits.through(output_odd, _mm512_load_ps(sums + (i + j) * 32 + 16));
          total_even = _mm512_add_ps(total_even, even);
          total_odd = _mm512_add_ps(total_odd, odd);
          _mm512_store_si512(data + place, round_interleaved(even, odd));
        }
      }
    });
    _mm512_store_ps(total, total_even);
    _mm512_store_ps(total + 16, total_odd);
  }
}

FOVEA_AMX void narrow(const Product& product, const float* bias, const Plain& out) {
  const Limits limits(out.activation);
  for (std::int64_t column = 0; column < product.column_blocks; ++column) {
    const std::int64_t first = column * kBlock;
    const __mmask16 masks[] = {first_lanes(out.columns - first), first_lanes(out.columns - first - 16)};
    for_rows(product, column, bias == nullptr ? nullptr : bias + first,
             [&](std::int64_t row, std::int64_t count, const float* sums) FOVEA_AMX {
               for (std::int64_t i = 0; i < count; ++i) {
                 if (out.plain[row + i] < 0) continue;
                 const std::int64_t at = out.plain[row + i] * out.columns + first;
                 for (int half = 0; half < 2; ++half) {
                   const __mmask16 mask = masks[half];
                   __m512 value = _mm512_load_ps(sums + i * 32 + half * 16);
                   if (out.plus != nullptr) value = _mm512_add_ps(value, _mm512_maskz_loadu_ps(mask, out.plus + at + half * 16));
                   if (out.seen != nullptr) value = limits.through(_mm512_maskz_loadu_ps(mask, out.seen + at + half * 16), value);
                   _mm512_mask_storeu_ps(out.data + at + half * 16, mask, value);
                 }
               }
             });
  }
}

FOVEA_AMX void from_halves(const float* exact, std::int64_t exact_half, std::int64_t positions, const Plain& out) {
  const Limits limits(out.activation);
  const __m512i low = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
  const __m512i high = _mm512_setr_epi32(8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
  for (std::int64_t p = 0; p < positions; ++p) {
    if (out.plain[p] < 0) continue;
    for (std::int64_t c = 0; c < out.columns; c += 16) {
      const float* even = exact + c / kBlock * 2 * exact_half + p * 16;
      const __mmask16 mask = first_lanes(out.columns - c);
      const std::int64_t at = out.plain[p] * out.columns + c;
      __m512 value =
          _mm512_permutex2var_ps(_mm512_load_ps(even), c % kBlock == 0 ? low : high, _mm512_load_ps(even + exact_half));
      if (out.plus != nullptr) value = _mm512_add_ps(value, _mm512_maskz_loadu_ps(mask, out.plus + at));
      if (out.seen != nullptr) value = limits.through(_mm512_maskz_loadu_ps(mask, out.seen + at), value);
      _mm512_mask_storeu_ps(out.data + at, mask, value);
    }
  }
}

FOVEA_AMX void outer(const Bf16* a, std::int64_t channel_tiles, std::int64_t position_tiles, const Bf16* b, std::int64_t b_half,
                     std::int64_t blocks, float* sums) {
  constexpr std::int64_t kSumsRow = 128;  // bytes
  for (std::int64_t block = 0; block < blocks; ++block) {
    const Bf16* const even = b + 2 * block * b_half;
    const Bf16* const odd = even + b_half;
    for (std::int64_t tile = 0; tile < channel_tiles; tile += 2) {
      float* const at = sums + (block * channel_tiles + tile) * 16 * kBlock;
      const Bf16* const rows = a + tile * position_tiles * kTile;
      const bool two = tile + 1 < channel_tiles;
      fence();
      _tile_loadd(0, at, kSumsRow);
      _tile_loadd(1, at + 16, kSumsRow);
      if (two) {
        _tile_loadd(2, at + 512, kSumsRow);
        _tile_loadd(3, at + 528, kSumsRow);
        for (std::int64_t k = 0; k < position_tiles; ++k) {
          _tile_loadd(4, rows + k * kTile, kRowBytes);
          _tile_loadd(6, even + k * kTile, kRowBytes);
          _tile_dpbf16ps(0, 4, 6);
          _tile_loadd(7, odd + k * kTile, kRowBytes);
          _tile_dpbf16ps(1, 4, 7);
          _tile_loadd(5, rows + (position_tiles + k) * kTile, kRowBytes);
          _tile_dpbf16ps(2, 5, 6);
          _tile_dpbf16ps(3, 5, 7);
        }
        _tile_stored(2, at + 512, kSumsRow);
        _tile_stored(3, at + 528, kSumsRow);
      } else {
        for (std::int64_t k = 0; k < position_tiles; ++k) {
          _tile_loadd(4, rows + k * kTile, kRowBytes);
          _tile_loadd(6, even + k * kTile, kRowBytes);
          _tile_dpbf16ps(0, 4, 6);
          _tile_loadd(7, odd + k * kTile, kRowBytes);
          _tile_dpbf16ps(1, 4, 7);
        }
      }
      _tile_stored(0, at, kSumsRow);
      _tile_stored(1, at + 16, kSumsRow);
      fence();
    }
  }
}

}  // namespace fovea::cpu::amx

#endif
