// SPDX-License-Identifier: Apache-2.0
#include "backend/cpu/kernels/bf16/elementwise.h"

#include "backend/cpu/kernels/bf16/intrinsics.h"

#if FOVEA_HAS_BF16

#include "backend/cpu/kernels/bf16/activation.h"

namespace fovea::cpu::bf16 {
namespace {

using graph::Activation;

/// Calls body(mask, i) for groups of 32 numbers that cover [0, count).
#define FOVEA_FOR_NUMBERS(i, mask, count)      \
  for (std::int64_t i = 0; i < count; i += 32) \
    if (const __mmask32 mask = first_numbers(count - i); true)

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
