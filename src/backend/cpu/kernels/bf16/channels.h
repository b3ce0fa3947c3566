// Fovea: 32 neighbouring channels, in their order, of rows that are kept as bf16 and of vectors of floats.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "backend/cpu/kernels/bf16/intrinsics.h"

#if FOVEA_HAS_BF16

#include <type_traits>

#include "backend/cpu/kernels/batch_norm.h"
#include "backend/cpu/kernels/bf16/round.h"
#include "backend/cpu/kernels/bf16/vectors.h"

namespace fovea::cpu::bf16 {

inline constexpr std::int64_t kChannelsTogether = 32;

struct Channels {
  __m512 low, high;

  FOVEA_BF16_INLINE friend Channels operator-(const Channels& a, const Channels& b) {
    return {_mm512_sub_ps(a.low, b.low), _mm512_sub_ps(a.high, b.high)};
  }
};

FOVEA_BF16_INLINE Channels unfold(__m512i numbers) {
  const __m512i lower = _mm512_cvtepu16_epi32(_mm512_castsi512_si256(numbers));
  const __m512i upper = _mm512_cvtepu16_epi32(_mm512_extracti64x4_epi64(numbers, 1));
  return {_mm512_castsi512_ps(_mm512_slli_epi32(lower, 16)), _mm512_castsi512_ps(_mm512_slli_epi32(upper, 16))};
}
FOVEA_BF16_INLINE __m512i fold(const Channels& numbers) { return round_in_turn(numbers.low, numbers.high); }

/// The channels from one on, as far as there are any; the others are zeros, and not written.
struct Group {
  std::int64_t first;
  __mmask16 low, high;
  __mmask32 all;

  FOVEA_BF16_INLINE Group(std::int64_t begin, std::int64_t channels)
      : first(begin),
        low(first_lanes(channels - begin)),
        high(first_lanes(channels - begin - 16)),
        all(first_numbers(channels - begin)) {}

  [[nodiscard]] FOVEA_BF16_INLINE Channels load(const float* vector) const {
    return {_mm512_maskz_loadu_ps(low, vector + first), _mm512_maskz_loadu_ps(high, vector + first + 16)};
  }
  FOVEA_BF16_INLINE void store(const Channels& numbers, float* vector) const {
    _mm512_mask_storeu_ps(vector + first, low, numbers.low);
    _mm512_mask_storeu_ps(vector + first + 16, high, numbers.high);
  }
  FOVEA_BF16_INLINE void grow(const Channels& more, float* vector) const {
    const Channels before = load(vector);
    store({_mm512_add_ps(before.low, more.low), _mm512_add_ps(before.high, more.high)}, vector);
  }
  [[nodiscard]] FOVEA_BF16_INLINE Channels load_row(const Bf16* row) const {
    return unfold(_mm512_maskz_loadu_epi16(all, row + first));
  }
  FOVEA_BF16_INLINE void store_row(const Channels& numbers, Bf16* row, bool stream) const {
    stream ? _mm512_stream_si512(reinterpret_cast<__m512i*>(row + first), fold(numbers))
           : _mm512_mask_storeu_epi16(row + first, all, fold(numbers));
  }
};

/// Whether all rows of so many channels are whole vectors, which may go past the caches.
[[nodiscard]] inline bool can_stream(const Bf16* data, std::int64_t channels) {
  return channels % kChannelsTogether == 0 && reinterpret_cast<std::uintptr_t>(data) % 64 == 0;
}

/// Rows taken together, so that what belongs to a channel is loaded once for them.
inline constexpr int kRowsTogether = 4;

/// Calls body(group, first row, number of rows, a constant): all channels of some rows, then those of the next.
template <class Body>
FOVEA_BF16_INLINE void for_groups(std::int64_t rows, std::int64_t channels, const Body& body) {
  std::int64_t row = 0;
  for (; row + kRowsTogether <= rows; row += kRowsTogether) {
    for (std::int64_t c = 0; c < channels; c += kChannelsTogether)
      body(Group(c, channels), row, std::integral_constant<int, kRowsTogether>());
  }
  for (; row < rows; ++row) {
    for (std::int64_t c = 0; c < channels; c += kChannelsTogether)
      body(Group(c, channels), row, std::integral_constant<int, 1>());
  }
}

/// What goes back through a BatchNorm, of half a group: scale (g - sum - centred x * product).
FOVEA_BF16_INLINE __m512 back_through_norm(__m512 scale, __m512 sum, __m512 product, __m512 g, __m512 centred) {
  return _mm512_mul_ps(scale, _mm512_fnmadd_ps(centred, product, _mm512_sub_ps(g, sum)));
}

/// Half of a group's Normalisation, and both halves.
struct By {
  __m512 mean, scale, shift;
  [[nodiscard]] FOVEA_BF16_INLINE __m512 centred(__m512 x) const { return _mm512_sub_ps(x, mean); }
  [[nodiscard]] FOVEA_BF16_INLINE __m512 normalised(__m512 centred_x) const { return _mm512_fmadd_ps(centred_x, scale, shift); }
};
struct BothBy {
  By low, high;
  FOVEA_BF16_INLINE BothBy(const Group& group, const Normalisation& by) {
    const Channels mean = group.load(by.mean), scale = group.load(by.scale), shift = group.load(by.shift);
    low = {mean.low, scale.low, shift.low};
    high = {mean.high, scale.high, shift.high};
  }
};

/// Sums of a number, and of a product, over rows.
struct GroupSums {
  Channels sum, product;

  FOVEA_BF16_INLINE GroupSums() : sum{_mm512_setzero_ps(), _mm512_setzero_ps()}, product(sum) {}
  /// Grows by a, and by a times b.
  FOVEA_BF16_INLINE void add(const Channels& a, const Channels& b) {
    sum = {_mm512_add_ps(sum.low, a.low), _mm512_add_ps(sum.high, a.high)};
    product = {_mm512_fmadd_ps(a.low, b.low, product.low), _mm512_fmadd_ps(a.high, b.high, product.high)};
  }
  FOVEA_BF16_INLINE void end(const Group& group, float* sums, float* products) const {
    group.grow(sum, sums);
    group.grow(product, products);
  }
};

}  // namespace fovea::cpu::bf16

#endif
