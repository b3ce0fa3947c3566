// Fovea: from the sums of a product of rows to its results.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "backend/cpu/kernels/bf16/intrinsics.h"

#if FOVEA_HAS_BF16

#include "backend/cpu/kernels/bf16/activation.h"
#include "backend/cpu/kernels/bf16/row_product.h"

namespace fovea::cpu::bf16 {

inline constexpr std::int64_t kLanes = 16;
inline constexpr std::int64_t kTwoVectors = 2 * kLanes;

FOVEA_BF16_INLINE void store(const Results& to, std::int64_t position, std::int64_t column, __mmask16 mask, __m512 value) {
  const std::int64_t at = position * to.position + column;
  if (to.rounded) {
    auto* const numbers = reinterpret_cast<Bf16*>(to.data) + at;
    const auto rounded = (__m256i)_mm512_cvtneps_pbh(value);
    if (mask == 0xFFFF) return _mm256_storeu_si256(reinterpret_cast<__m256i*>(numbers), rounded);
    _mm256_mask_storeu_epi16(numbers, mask, rounded);
  } else {
    _mm512_mask_storeu_ps(reinterpret_cast<float*>(to.data) + at, mask, value);
  }
}

FOVEA_BF16_INLINE __m512 widened(__m256i numbers) {
  return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(numbers), 16));
}

FOVEA_BF16_INLINE __m512 load(const Operand& from, std::int64_t position, std::int64_t column, __mmask16 mask) {
  const std::int64_t at = position * from.position + column;
  if (from.rounded) return widened(_mm256_maskz_loadu_epi16(mask, reinterpret_cast<const Bf16*>(from.data) + at));
  return _mm512_maskz_loadu_ps(mask, reinterpret_cast<const float*>(from.data) + at);
}

/// From the sums of `count` positions from `first` on, of kStep numbers each: of any kind.
template <std::int64_t kStep>
FOVEA_BF16 void finish_any(const RowProduct& p, const float* sums, std::int64_t first, std::int64_t count) {
  const Limits limits(p.activation);
  for (std::int64_t i = first; i < first + count; ++i, sums += kStep) {
    for (std::int64_t column = 0; column < p.columns; column += kLanes) {
      const __mmask16 mask = first_lanes(p.columns - column);
      __m512 value = _mm512_maskz_loadu_ps(mask, sums + column);
      if (p.b != nullptr) value = _mm512_add_ps(value, _mm512_loadu_ps(p.b + column));
      if (p.activation == graph::Activation::kSilu) {
        const Silu silu(value);
        if (p.slope.data != nullptr) store(p.slope, i, column, mask, silu.slope);
        value = silu.value;
      } else if (p.activation != graph::Activation::kNone) {
        value = limits.clamp(value);
      }
      if (p.addend.data != nullptr) value = _mm512_add_ps(value, load(p.addend, i, column, mask));
      if (p.factor.data != nullptr) value = _mm512_mul_ps(value, load(p.factor, i, column, mask));
      store(p.y, i, column, mask, value);
    }
  }
}

/// Gradients without a bias and an activation, where all that is read and written is rounded: `count` in a row.
template <bool kAdds, bool kMultiplies>
FOVEA_BF16_INLINE void finish_gradient_run(const float* sums, std::int64_t count, const Bf16* addend, const Bf16* factor,
                                           Bf16* y) {
  const auto value = [&](std::int64_t i, __mmask16 mask) FOVEA_BF16 {
    const auto at = [&](const Bf16* numbers) FOVEA_BF16 { return widened(_mm256_maskz_loadu_epi16(mask, numbers + i)); };
    __m512 result = _mm512_maskz_loadu_ps(mask, sums + i);
    if constexpr (kAdds) result = _mm512_add_ps(result, at(addend));
    if constexpr (kMultiplies) result = _mm512_mul_ps(result, at(factor));
    return result;
  };
  std::int64_t i = 0;
  for (; i + kTwoVectors <= count; i += kTwoVectors)
    _mm512_storeu_si512(y + i, round_in_turn(value(i, 0xFFFF), value(i + kLanes, 0xFFFF)));
  if (i == count) return;
  if (count - i == kLanes)
    return _mm256_storeu_si256(reinterpret_cast<__m256i*>(y + i), (__m256i)_mm512_cvtneps_pbh(value(i, 0xFFFF)));
  const __m512 low = value(i, first_lanes(count - i)), high = value(i + kLanes, first_lanes(count - i - kLanes));
  _mm512_mask_storeu_epi16(y + i, first_numbers(count - i), round_in_turn(low, high));
}

/// Positions that follow each other in all tensors are one run.
template <std::int64_t kStep, bool kAdds, bool kMultiplies>
FOVEA_BF16 void finish_gradients(const RowProduct& p, const float* sums, std::int64_t first, std::int64_t count) {
  Bf16* y = reinterpret_cast<Bf16*>(p.y.data) + first * p.y.position;
  const auto* addend = reinterpret_cast<const Bf16*>(p.addend.data) + (kAdds ? first * p.addend.position : 0);
  const auto* factor = reinterpret_cast<const Bf16*>(p.factor.data) + (kMultiplies ? first * p.factor.position : 0);
  const bool one =
      p.y.position == kStep && (!kAdds || p.addend.position == kStep) && (!kMultiplies || p.factor.position == kStep);
  if (one) return finish_gradient_run<kAdds, kMultiplies>(sums, count * kStep, addend, factor, y);
  for (; count > 0; --count, sums += kStep, y += p.y.position) {
    finish_gradient_run<kAdds, kMultiplies>(sums, kStep, addend, factor, y);
    if constexpr (kAdds) addend += p.addend.position;
    if constexpr (kMultiplies) factor += p.factor.position;
  }
}

/// Whether finish_gradients is for it.
template <std::int64_t kStep>
bool are_gradients(const RowProduct& p) {
  const auto rounded = [](const Operand& operand) { return operand.data == nullptr || operand.rounded; };
  return p.b == nullptr && p.activation == graph::Activation::kNone && p.y.rounded && rounded(p.addend) && rounded(p.factor) &&
         p.columns == kStep;
}
template <std::int64_t kStep>
void finish_all_gradients(const RowProduct& p, const float* sums, std::int64_t first, std::int64_t count) {
  const bool adds = p.addend.data != nullptr, multiplies = p.factor.data != nullptr;
  if (adds && multiplies) return finish_gradients<kStep, true, true>(p, sums, first, count);
  if (adds) return finish_gradients<kStep, true, false>(p, sums, first, count);
  if (multiplies) return finish_gradients<kStep, false, true>(p, sums, first, count);
  return finish_gradients<kStep, false, false>(p, sums, first, count);
}

/// Silus and slopes that are both kept rounded, for `rows` rows of two vectors.
FOVEA_BF16_INLINE void finish_silu_rows(const float* sums, std::int64_t sums_step, std::int64_t rows, __m512 first_bias,
                                        __m512 second_bias, Bf16* y, std::int64_t y_step, Bf16* slope, std::int64_t slope_step) {
  for (; rows > 0; --rows, sums += sums_step, y += y_step, slope += slope_step) {
    const RoundedSilu first(_mm512_add_ps(_mm512_loadu_ps(sums), first_bias));
    const RoundedSilu second(_mm512_add_ps(_mm512_loadu_ps(sums + kLanes), second_bias));
    _mm512_storeu_si512(y, round_in_turn(first.value, second.value));
    _mm512_storeu_si512(slope, round_in_turn(first.slope, second.slope));
  }
}

/// The same for `count` <= 32 numbers in a row, of which all vectors have one bias.
FOVEA_BF16_INLINE void finish_silu_rest(const float* sums, std::int64_t count, __m512 bias, Bf16* y, Bf16* slope) {
  const auto value = [&](std::int64_t i)
                         FOVEA_BF16 { return _mm512_add_ps(_mm512_maskz_loadu_ps(first_lanes(count - i), sums + i), bias); };
  const RoundedSilu low(value(0)), high(value(kLanes));
  _mm512_mask_storeu_epi16(y, first_numbers(count), round_in_turn(low.value, high.value));
  _mm512_mask_storeu_epi16(slope, first_numbers(count), round_in_turn(low.slope, high.slope));
}

template <std::int64_t kStep>
FOVEA_BF16 void finish_silus(const RowProduct& p, const float* sums, std::int64_t first, std::int64_t count) {
  Bf16* y = reinterpret_cast<Bf16*>(p.y.data) + first * p.y.position;
  Bf16* slope = reinterpret_cast<Bf16*>(p.slope.data) + first * p.slope.position;
  const auto bias = [&](std::int64_t column)
                        FOVEA_BF16 { return p.b == nullptr ? _mm512_setzero_ps() : _mm512_loadu_ps(p.b + column); };
  if constexpr (kStep <= kLanes) {  // one run, in which each vector has all columns once or twice
    const __m512 each = kStep == kLanes ? bias(0) : _mm512_broadcast_f32x8(_mm512_castps512_ps256(bias(0)));
    const std::int64_t numbers = count * kStep, whole = numbers / kTwoVectors * kTwoVectors;
    finish_silu_rows(sums, kTwoVectors, numbers / kTwoVectors, each, each, y, kTwoVectors, slope, kTwoVectors);
    if (whole < numbers) finish_silu_rest(sums + whole, numbers - whole, each, y + whole, slope + whole);
  } else {
    for (std::int64_t c = 0; c < kStep; c += kTwoVectors)
      finish_silu_rows(sums + c, kStep, count, bias(c), bias(c + kLanes), y + c, p.y.position, slope + c, p.slope.position);
  }
}

/// Whether finish_silus is for it.
template <std::int64_t kStep>
bool are_silus(const RowProduct& p) {
  const bool kept = p.activation == graph::Activation::kSilu && p.slope.data != nullptr && p.y.rounded && p.slope.rounded &&
                    p.addend.data == nullptr && p.factor.data == nullptr;
  const bool together = p.y.position == kStep && p.slope.position == kStep;
  return kept && p.columns == kStep && (kStep <= kLanes ? together : kStep % kTwoVectors == 0);
}

/// From the sums of `count` positions from `first` on, of kStep numbers each.
template <std::int64_t kStep>
void finish(const RowProduct& p, const float* sums, std::int64_t first, std::int64_t count) {
  if (are_silus<kStep>(p)) return finish_silus<kStep>(p, sums, first, count);
  if (are_gradients<kStep>(p)) return finish_all_gradients<kStep>(p, sums, first, count);
  finish_any<kStep>(p, sums, first, count);
}

}  // namespace fovea::cpu::bf16

#endif
