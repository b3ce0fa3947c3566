// Fovea: activations of vectors of floats, and what of a gradient gets through them.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "backend/cpu/kernels/bf16/intrinsics.h"

#if FOVEA_HAS_BF16

#include "backend/cpu/kernels/bf16/vectors.h"

namespace fovea::cpu::bf16 {

/// 1 / (1 + exp(-x)) to a few units in a float's last place: exp(-x) = 2^n 2^f with a whole n and 0 <= f < 1, 2^f by the
/// polynomial of degree 5 of the least relative error (7.5e-8), the reciprocal by a table of 14 bits and one step of Newton's.
FOVEA_BF16_INLINE __m512 sigmoid(__m512 x) {
  constexpr float kLog2E = 1.44269504F, kMost = 126.0F;  // beyond that the exponential leaves the range of floats
  const __m512 t = _mm512_min_ps(_mm512_mul_ps(x, _mm512_set1_ps(-kLog2E)), _mm512_set1_ps(kMost));
  const __m512 f = _mm512_reduce_ps(t, _MM_FROUND_TO_NEG_INF);
  __m512 power = _mm512_set1_ps(1.87757670e-3F);
  for (const float coefficient : {8.98934063e-3F, 5.58263175e-2F, 2.40153611e-1F, 6.93153083e-1F, 9.99999940e-1F})
    power = _mm512_fmadd_ps(power, f, _mm512_set1_ps(coefficient));
  const __m512 divisor = _mm512_add_ps(_mm512_scalef_ps(power, t), _mm512_set1_ps(1.0F));  // scaled by the whole part of t
  const __m512 near = _mm512_rcp14_ps(divisor);
  return _mm512_mul_ps(near, _mm512_fnmadd_ps(divisor, near, _mm512_set1_ps(2.0F)));
}

template <graph::Activation kActivation>
FOVEA_BF16_INLINE __m512 activated(__m512 x) {
  if constexpr (kActivation == graph::Activation::kSilu) return _mm512_mul_ps(x, sigmoid(x));
  return Limits(kActivation).clamp(x);
}

template <graph::Activation kActivation>
FOVEA_BF16_INLINE __m512 through_slope(__m512 saved, __m512 dy) {
  if constexpr (kActivation == graph::Activation::kSilu) {
    const __m512 one = _mm512_set1_ps(1.0F), s = sigmoid(saved);
    return _mm512_mul_ps(dy, _mm512_mul_ps(s, _mm512_fmadd_ps(saved, _mm512_sub_ps(one, s), one)));
  }
  return Limits(kActivation).through(saved, dy);
}

}  // namespace fovea::cpu::bf16

#endif
