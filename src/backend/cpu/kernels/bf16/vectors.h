// Fovea: 32 bf16 numbers as two vectors of floats, and back.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "backend/cpu/kernels/bf16/intrinsics.h"

#if FOVEA_HAS_BF16

#include <cstdint>
#include <limits>

#include "graph/ops.h"

namespace fovea::cpu::bf16 {

/// A mask of the first `count` lanes: none if that is negative, all from 16 on.
FOVEA_BF16_INLINE __mmask16 first_lanes(std::int64_t count) {
  return static_cast<__mmask16>(count <= 0 ? 0 : (count >= 16 ? 0xFFFF : (1U << count) - 1));
}

/// And of the first `count` of 32 numbers, at least one.
FOVEA_BF16_INLINE __mmask32 first_numbers(std::int64_t count) {
  return static_cast<__mmask32>(count >= 32 ? 0xFFFFFFFFU : (1U << count) - 1);
}

/// Numbers 0, 2, 4, ...
FOVEA_BF16_INLINE __m512 even_half(__m512i numbers) { return _mm512_castsi512_ps(_mm512_slli_epi32(numbers, 16)); }
/// Numbers 1, 3, 5, ...
FOVEA_BF16_INLINE __m512 odd_half(__m512i numbers) {
  return _mm512_castsi512_ps(_mm512_and_si512(numbers, _mm512_set1_epi32(static_cast<int>(0xFFFF0000U))));
}

/// Rounded: all of `first`, then all of `second`.
FOVEA_BF16_INLINE __m512i round_in_turn(__m512 first, __m512 second) { return (__m512i)_mm512_cvtne2ps_pbh(second, first); }
/// Number i of the lower half, number i of the upper, and so on.
FOVEA_BF16_INLINE __m512i interleave(__m512i halves) {
  alignas(64) static constexpr std::uint16_t kOrder[32] = {0, 16, 1, 17, 2,  18, 3,  19, 4,  20, 5,  21, 6,  22, 7,  23,
                                                           8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31};
  return _mm512_permutexvar_epi16(_mm512_load_si512(kOrder), halves);
}
/// Rounded: even[0], odd[0], even[1], ...
FOVEA_BF16_INLINE __m512i round_interleaved(__m512 even, __m512 odd) { return interleave(round_in_turn(even, odd)); }

/// 16 vectors of 16 32-bit numbers, turned around.
FOVEA_BF16_INLINE void transpose(__m512i (&r)[16]) {
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

/// An activation of the kinds whose derivative its output tells, as the edges between which that is 1.
struct Limits {
  __m512 low, high;
  __m512i least, span;  ///< bits of the least number between the edges, and from there to the greatest: one comparison for both

  FOVEA_BF16_INLINE explicit Limits(graph::Activation activation) {
    constexpr float kInfinity = std::numeric_limits<float>::infinity();
    const bool edges = activation != graph::Activation::kNone, six = activation == graph::Activation::kRelu6;
    low = _mm512_set1_ps(edges ? 0.0F : -kInfinity);
    high = _mm512_set1_ps(six ? 6.0F : kInfinity);
    constexpr int kBelowSix = 0x40BFFFFF, kMost = 0x7F7FFFFF;
    least = _mm512_set1_epi32(edges ? 1 : 0);
    span = _mm512_set1_epi32(edges ? (six ? kBelowSix : kMost) - 1 : -1);
  }
  [[nodiscard]] FOVEA_BF16_INLINE __m512 clamp(__m512 x) const { return _mm512_min_ps(_mm512_max_ps(x, low), high); }
  /// The gradient that gets through.
  [[nodiscard]] FOVEA_BF16_INLINE __m512 through(__m512 output, __m512 gradient) const {
    const __m512i above = _mm512_sub_epi32(_mm512_castps_si512(output), least);
    return _mm512_maskz_mov_ps(_mm512_cmple_epu32_mask(above, span), gradient);
  }
};

/// The same for 32 numbers that are rounded already: they are ordered as whole numbers are, but for those below zero, which any
/// activation that has edges makes zero; and no edge is moved by rounding.
struct RoundedLimits {
  __m512i low, high;

  FOVEA_BF16_INLINE explicit RoundedLimits(graph::Activation activation) {
    constexpr short kSix = 0x40C0;
    low = _mm512_set1_epi16(activation == graph::Activation::kNone ? std::numeric_limits<short>::min() : short{0});
    high = _mm512_set1_epi16(activation == graph::Activation::kRelu6 ? kSix : std::numeric_limits<short>::max());
  }
  [[nodiscard]] FOVEA_BF16_INLINE __m512i clamp(__m512i x) const { return _mm512_min_epi16(_mm512_max_epi16(x, low), high); }
};

}  // namespace fovea::cpu::bf16

#endif
