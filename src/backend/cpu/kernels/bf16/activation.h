// Fovea: activations of vectors of floats, and what of a gradient gets through them.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "backend/cpu/kernels/bf16/intrinsics.h"

#if FOVEA_HAS_BF16

#include <initializer_list>

#include "backend/cpu/kernels/bf16/vectors.h"

namespace fovea::cpu::bf16 {

/// 1 / (1 + exp(-x)) to a few units in a float's last place. exp(-x) = 2^n 2^f with a whole n and 0 <= f < 1, 2^f by the
/// polynomial of degree 5 of the least relative error (7.5e-8), reciprocals by a table of 14 bits and one step of Newton's.
struct Sigmoid {
  /// Up to which exponents exp(-x) and its reciprocal are floats of full accuracy.
  static constexpr float kMost = 126.0F;

  /// Base 2: of exp(-x).
  FOVEA_BF16_INLINE static __m512 exponent(__m512 x) { return _mm512_mul_ps(x, _mm512_set1_ps(-1.44269504F)); }
  /// 2^f of an exponent.
  FOVEA_BF16_INLINE static __m512 power(__m512 exponent) {
    const __m512 f = _mm512_reduce_ps(exponent, _MM_FROUND_TO_NEG_INF);
    __m512 power = _mm512_set1_ps(1.87757670e-3F);
    for (const float coefficient : {8.98934063e-3F, 5.58263175e-2F, 2.40153611e-1F, 6.93153083e-1F, 9.99999940e-1F})
      power = _mm512_fmadd_ps(power, f, _mm512_set1_ps(coefficient));
    return power;
  }
  FOVEA_BF16_INLINE static __m512 reciprocal(__m512 x) {
    const __m512 near = _mm512_rcp14_ps(x);
    return _mm512_mul_ps(near, _mm512_fnmadd_ps(x, near, _mm512_set1_ps(2.0F)));
  }
  /// Of exponents of at most kMost.
  FOVEA_BF16_INLINE static __m512 of(__m512 exponent) {  // scalef: times 2 to the whole part of the exponent
    return reciprocal(_mm512_add_ps(_mm512_scalef_ps(power(exponent), exponent), _mm512_set1_ps(1.0F)));
  }
  /// Of any: beyond kMost it is 1 / exp(-x), to the last place.
  FOVEA_BF16 static __m512 of_any(__m512 exponent) {
    const __m512 most = _mm512_set1_ps(kMost), whole = _mm512_roundscale_ps(exponent, _MM_FROUND_TO_NEG_INF);
    const __m512 far = _mm512_scalef_ps(reciprocal(power(exponent)), _mm512_sub_ps(_mm512_setzero_ps(), whole));
    const __mmask16 is_far = _mm512_cmp_ps_mask(exponent, most, _CMP_GT_OQ);
    return _mm512_mask_blend_ps(is_far, of(_mm512_min_ps(exponent, most)), far);
  }
};

/// silu(x) and silu'(x) from one exponential.
struct Silu {
  __m512 value, slope;

  FOVEA_BF16_INLINE explicit Silu(__m512 x) {
    const __m512 exponent = Sigmoid::exponent(x);
    const bool far = _mm512_cmp_ps_mask(exponent, _mm512_set1_ps(Sigmoid::kMost), _CMP_GT_OQ) != 0;
    const __m512 s = __builtin_expect(static_cast<long>(far), 0) ? Sigmoid::of_any(exponent) : Sigmoid::of(exponent);
    value = _mm512_mul_ps(x, s);
    slope = _mm512_fmadd_ps(value, _mm512_sub_ps(_mm512_set1_ps(1.0F), s), s);
  }
};

/// The same for results that are rounded to bf16, with a sigmoid that is off by reference::kCoarseSigmoid of itself at most: 2^f
/// by the polynomial of degree 4 of the least relative error (2.6e-6), the reciprocal by the table alone (2^-14). Where exp(-x)
/// is no float any more (x < -88) both are zeros.
struct RoundedSilu {
  __m512 value, slope;

  FOVEA_BF16_INLINE explicit RoundedSilu(__m512 x) {
    const __m512 exponent = Sigmoid::exponent(x), one = _mm512_set1_ps(1.0F);
    const __m512 f = _mm512_reduce_ps(exponent, _MM_FROUND_TO_NEG_INF);
    __m512 power = _mm512_set1_ps(1.35341680e-2F);
    for (const float coefficient : {5.20114616e-2F, 2.41442755e-1F, 6.93003835e-1F, 1.00000259F})
      power = _mm512_fmadd_ps(power, f, _mm512_set1_ps(coefficient));
    const __m512 s = _mm512_rcp14_ps(_mm512_add_ps(_mm512_scalef_ps(power, exponent), one));
    value = _mm512_mul_ps(x, s);
    slope = _mm512_fmadd_ps(value, _mm512_sub_ps(one, s), s);
  }
};

template <graph::Activation kActivation>
FOVEA_BF16_INLINE __m512 activated(__m512 x) {
  if constexpr (kActivation == graph::Activation::kSilu) return Silu(x).value;
  return Limits(kActivation).clamp(x);
}

template <graph::Activation kActivation>
FOVEA_BF16_INLINE __m512 through_slope(__m512 saved, __m512 dy) {
  if constexpr (kActivation == graph::Activation::kSilu) return _mm512_mul_ps(dy, Silu(saved).slope);
  return Limits(kActivation).through(saved, dy);
}

}  // namespace fovea::cpu::bf16

#endif
