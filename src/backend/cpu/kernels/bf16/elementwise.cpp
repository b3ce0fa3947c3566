// SPDX-License-Identifier: Apache-2.0
#include "backend/cpu/kernels/bf16/elementwise.h"

#include "backend/cpu/kernels/bf16/intrinsics.h"

#if FOVEA_HAS_BF16

#include "backend/cpu/kernels/bf16/vectors.h"

namespace fovea::cpu::bf16 {
namespace {

using graph::Activation;

/// Calls body(mask, i) for groups of 32 numbers that cover [0, count).
#define FOVEA_FOR_NUMBERS(i, mask, count)      \
  for (std::int64_t i = 0; i < count; i += 32) \
    if (const __mmask32 mask = first_numbers(count - i); true)

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

/// Both from one exponential.
struct Silu {
  __m512 value, slope;

  FOVEA_BF16_INLINE explicit Silu(__m512 x) {
    const __m512 s = sigmoid(x);
    value = _mm512_mul_ps(x, s);
    slope = _mm512_fmadd_ps(value, _mm512_sub_ps(_mm512_set1_ps(1.0F), s), s);
  }
};

template <Activation kActivation>
FOVEA_BF16_INLINE __m512 activated(__m512 x) {
  if constexpr (kActivation == Activation::kSilu) return _mm512_mul_ps(x, sigmoid(x));
  return Limits(kActivation).clamp(x);
}

template <Activation kActivation>
FOVEA_BF16_INLINE __m512 through_slope(__m512 saved, __m512 dy) {
  if constexpr (kActivation == Activation::kSilu) {
    const __m512 one = _mm512_set1_ps(1.0F), s = sigmoid(saved);
    return _mm512_mul_ps(dy, _mm512_mul_ps(s, _mm512_fmadd_ps(saved, _mm512_sub_ps(one, s), one)));
  }
  return Limits(kActivation).through(saved, dy);
}

template <Activation kActivation>
FOVEA_BF16 void activate_all(const Bf16* x, Bf16* y, std::int64_t count) {
  FOVEA_FOR_NUMBERS(i, mask, count) {
    const __m512i numbers = _mm512_maskz_loadu_epi16(mask, x + i);
    const __m512 even = activated<kActivation>(even_half(numbers)), odd = activated<kActivation>(odd_half(numbers));
    _mm512_mask_storeu_epi16(y + i, mask, round_interleaved(even, odd));
  }
}

template <Activation kActivation>
FOVEA_BF16 void activate_backward_all(const Bf16* saved, const Bf16* dy, Bf16* dx, std::int64_t count) {
  FOVEA_FOR_NUMBERS(i, mask, count) {
    const __m512i s = _mm512_maskz_loadu_epi16(mask, saved + i), d = _mm512_maskz_loadu_epi16(mask, dy + i);
    const __m512 even = through_slope<kActivation>(even_half(s), even_half(d));
    const __m512 odd = through_slope<kActivation>(odd_half(s), odd_half(d));
    _mm512_mask_storeu_epi16(dx + i, mask, round_interleaved(even, odd));
  }
}

}  // namespace

void activate(Activation activation, const Bf16* x, Bf16* y, std::int64_t count) {
  switch (activation) {
    case Activation::kNone: return activate_all<Activation::kNone>(x, y, count);
    case Activation::kRelu: return activate_all<Activation::kRelu>(x, y, count);
    case Activation::kRelu6: return activate_all<Activation::kRelu6>(x, y, count);
    case Activation::kSilu: return activate_all<Activation::kSilu>(x, y, count);
  }
}

void activate_backward(Activation activation, const Bf16* saved, const Bf16* dy, Bf16* dx, std::int64_t count) {
  switch (activation) {
    case Activation::kNone: return activate_all<Activation::kNone>(dy, dx, count);
    case Activation::kRelu: return activate_backward_all<Activation::kRelu>(saved, dy, dx, count);
    case Activation::kRelu6: return activate_backward_all<Activation::kRelu6>(saved, dy, dx, count);
    case Activation::kSilu: return activate_backward_all<Activation::kSilu>(saved, dy, dx, count);
  }
}

FOVEA_BF16 void silu_with_slope(const Bf16* x, Bf16* y, Bf16* slope, std::int64_t count) {
  FOVEA_FOR_NUMBERS(i, mask, count) {
    const __m512i numbers = _mm512_maskz_loadu_epi16(mask, x + i);
    const Silu even(even_half(numbers)), odd(odd_half(numbers));
    _mm512_mask_storeu_epi16(y + i, mask, round_interleaved(even.value, odd.value));
    _mm512_mask_storeu_epi16(slope + i, mask, round_interleaved(even.slope, odd.slope));
  }
}

FOVEA_BF16 void multiply(const Bf16* a, const Bf16* b, Bf16* y, std::int64_t count) {
  FOVEA_FOR_NUMBERS(i, mask, count) {
    const __m512i p = _mm512_maskz_loadu_epi16(mask, a + i), q = _mm512_maskz_loadu_epi16(mask, b + i);
    const __m512 even = _mm512_mul_ps(even_half(p), even_half(q)), odd = _mm512_mul_ps(odd_half(p), odd_half(q));
    _mm512_mask_storeu_epi16(y + i, mask, round_interleaved(even, odd));
  }
}

FOVEA_BF16 void add(const Bf16* a, const Bf16* b, Bf16* y, std::int64_t count) {
  FOVEA_FOR_NUMBERS(i, mask, count) {
    const __m512i p = _mm512_maskz_loadu_epi16(mask, a + i), q = _mm512_maskz_loadu_epi16(mask, b + i);
    const __m512 even = _mm512_add_ps(even_half(p), even_half(q)), odd = _mm512_add_ps(odd_half(p), odd_half(q));
    _mm512_mask_storeu_epi16(y + i, mask, round_interleaved(even, odd));
  }
}

}  // namespace fovea::cpu::bf16

#else

namespace fovea::cpu::bf16 {

// There is no unit for bf16, so nothing calls these.
void activate(graph::Activation /*activation*/, const Bf16* /*x*/, Bf16* /*y*/, std::int64_t /*count*/) {}
void activate_backward(graph::Activation /*activation*/, const Bf16* /*saved*/, const Bf16* /*dy*/, Bf16* /*dx*/,
                       std::int64_t /*count*/) {}
void silu_with_slope(const Bf16* /*x*/, Bf16* /*y*/, Bf16* /*slope*/, std::int64_t /*count*/) {}
void multiply(const Bf16* /*a*/, const Bf16* /*b*/, Bf16* /*y*/, std::int64_t /*count*/) {}
void add(const Bf16* /*a*/, const Bf16* /*b*/, Bf16* /*y*/, std::int64_t /*count*/) {}

}  // namespace fovea::cpu::bf16

#endif
