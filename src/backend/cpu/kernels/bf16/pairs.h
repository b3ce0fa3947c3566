// Fovea: 32 channels of two positions by pairs, and where they go.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "backend/cpu/kernels/bf16/intrinsics.h"

#if FOVEA_HAS_BF16

#include "backend/cpu/kernels/bf16/products.h"

namespace fovea::cpu::bf16 {

/// The numbers of two rows by pairs: those of even channels, and those of odd ones.
struct Pairs {
  __m512i even, odd;
};
/// Of a pair's even and odd channels, these are its two rows again.
FOVEA_BF16_INLINE Pairs pairs_of(__m512i first, __m512i second) {
  constexpr __mmask32 kOdd = 0xAAAAAAAA;
  return {_mm512_mask_blend_epi16(kOdd, first, _mm512_slli_epi32(second, 16)),
          _mm512_mask_blend_epi16(kOdd, _mm512_srli_epi32(first, 16), second)};
}

/// The first numbers of 16 pairs to a place that is one of a pair's two.
FOVEA_BF16_INLINE void put_alone(Bf16* data, std::int32_t place, __m512i numbers) {
  if (place < 0) return;
  Bf16* const to = data + place / 32 * 32;
  const __m512i there = _mm512_load_si512(to);
  _mm512_store_si512(to, place % 32 == 0 ? _mm512_mask_blend_epi16(0x55555555, there, numbers)
                                         : _mm512_mask_blend_epi16(0xAAAAAAAA, there, _mm512_slli_epi32(numbers, 16)));
}

/// Two rows, of which the second's place follows the first's in `place`.
FOVEA_BF16_INLINE void put(const Pairs& rows, Bf16* data, std::int64_t half, const std::int32_t* place) {
  const std::int32_t first = place[0], second = place[1];
  if (first >= 0 && first % 32 == 0 && second == first + 16) {
    _mm512_store_si512(data + first, rows.even);
    _mm512_store_si512(data + half + first, rows.odd);
    return;
  }
  put_alone(data, first, rows.even);
  put_alone(data + half, first, rows.odd);
  put_alone(data, second, _mm512_srli_epi32(rows.even, 16));
  put_alone(data + half, second, _mm512_srli_epi32(rows.odd, 16));
}

}  // namespace fovea::cpu::bf16

#endif
