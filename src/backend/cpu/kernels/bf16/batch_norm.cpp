// SPDX-License-Identifier: Apache-2.0
#include "backend/cpu/kernels/bf16/batch_norm.h"

#include "backend/cpu/kernels/bf16/intrinsics.h"

#if FOVEA_HAS_BF16

#include <algorithm>
#include <type_traits>

#include "backend/cpu/kernels/bf16/activation.h"

namespace fovea::cpu::bf16 {
namespace {

using graph::Activation;

constexpr std::int64_t kNumbers = 32;

/// Rows taken together, so that what belongs to a channel is loaded once for them.
constexpr std::int64_t kRows = 4;

/// 32 channels of a vector of floats, or of a row, in their order.
struct Channels {
  __m512 low, high;
};

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
    const __m512i numbers = _mm512_maskz_loadu_epi16(all, row + first);
    const __m512i lower = _mm512_cvtepu16_epi32(_mm512_castsi512_si256(numbers));
    const __m512i upper = _mm512_cvtepu16_epi32(_mm512_extracti64x4_epi64(numbers, 1));
    return {_mm512_castsi512_ps(_mm512_slli_epi32(lower, 16)), _mm512_castsi512_ps(_mm512_slli_epi32(upper, 16))};
  }
  FOVEA_BF16_INLINE void store_row(const Channels& numbers, Bf16* row, bool stream) const {
    const __m512i rounded = round_in_turn(numbers.low, numbers.high);
    stream ? _mm512_stream_si512(reinterpret_cast<__m512i*>(row + first), rounded)
           : _mm512_mask_storeu_epi16(row + first, all, rounded);
  }
};

/// Calls body(group, first row, number of rows) for rows and channels in groups: all channels of some rows, then the next rows.
template <class Body>
FOVEA_BF16_INLINE void for_groups(std::int64_t rows, std::int64_t channels, const Body& body) {
  std::int64_t row = 0;
  for (; row + kRows <= rows; row += kRows) {
    for (std::int64_t c = 0; c < channels; c += kNumbers) body(Group(c, channels), row, std::integral_constant<int, kRows>());
  }
  for (; row < rows; ++row) {
    for (std::int64_t c = 0; c < channels; c += kNumbers) body(Group(c, channels), row, std::integral_constant<int, 1>());
  }
}

/// A half of a group's parameters.
struct By {
  __m512 mean, scale, shift;
  [[nodiscard]] FOVEA_BF16_INLINE __m512 normalised(__m512 centred) const { return _mm512_fmadd_ps(centred, scale, shift); }
};
struct BothBy {
  By low, high;
  FOVEA_BF16_INLINE BothBy(const Group& group, const Normalisation& by) {
    const Channels mean = group.load(by.mean), scale = group.load(by.scale), shift = group.load(by.shift);
    low = {mean.low, scale.low, shift.low};
    high = {mean.high, scale.high, shift.high};
  }
};

/// The gradient before the activation, and how far x is from its mean.
struct Gradient {
  __m512 g, centred;
};
template <Activation kActivation>
FOVEA_BF16_INLINE Gradient gradient_of(const By& by, __m512 x, __m512 dy) {
  const __m512 centred = _mm512_sub_ps(x, by.mean);
  return {through_slope<kActivation>(by.normalised(centred), dy), centred};
}

FOVEA_BF16 void moments(const Bf16* x, std::int64_t rows, std::int64_t channels, const float* pivot, float* sum, float* squares) {
  for (float* total : {sum, squares}) std::fill_n(total, channels, 0.0F);
  for_groups(rows, channels, [&](const Group& group, std::int64_t row, auto count) FOVEA_BF16 {
    const Channels origin = group.load(pivot);
    Channels total{_mm512_setzero_ps(), _mm512_setzero_ps()}, square = total;
    for (int i = 0; i < decltype(count)::value; ++i) {
      const Channels value = group.load_row(x + (row + i) * channels);
      const __m512 low = _mm512_sub_ps(value.low, origin.low), high = _mm512_sub_ps(value.high, origin.high);
      total = {_mm512_add_ps(total.low, low), _mm512_add_ps(total.high, high)};
      square = {_mm512_fmadd_ps(low, low, square.low), _mm512_fmadd_ps(high, high, square.high)};
    }
    group.grow(total, sum);
    group.grow(square, squares);
  });
}

template <Activation kActivation>
FOVEA_BF16 void normalise_by(const Normalisation& by, const Bf16* x, std::int64_t rows, std::int64_t channels, Bf16* y,
                             bool stream) {
  for_groups(rows, channels, [&](const Group& group, std::int64_t row, auto count) FOVEA_BF16 {
    const BothBy both(group, by);
    const auto one = [&](const By& half, __m512 value)
                         FOVEA_BF16 { return activated<kActivation>(half.normalised(_mm512_sub_ps(value, half.mean))); };
    for (int i = 0; i < decltype(count)::value; ++i) {
      const Channels value = group.load_row(x + (row + i) * channels);
      group.store_row({one(both.low, value.low), one(both.high, value.high)}, y + (row + i) * channels, stream);
    }
  });
  if (stream) _mm_sfence();
}

template <Activation kActivation>
FOVEA_BF16 void gradient_sums_by(const Normalisation& by, const Bf16* x, const Bf16* dy, std::int64_t rows, std::int64_t channels,
                                 float* sum, float* product) {
  for (float* total : {sum, product}) std::fill_n(total, channels, 0.0F);
  for_groups(rows, channels, [&](const Group& group, std::int64_t row, auto count) FOVEA_BF16 {
    const BothBy both(group, by);
    Channels total{_mm512_setzero_ps(), _mm512_setzero_ps()}, weighted = total;
    for (int i = 0; i < decltype(count)::value; ++i) {
      const std::int64_t at = (row + i) * channels;
      const Channels value = group.load_row(x + at), gradient = group.load_row(dy + at);
      const Gradient low = gradient_of<kActivation>(both.low, value.low, gradient.low);
      const Gradient high = gradient_of<kActivation>(both.high, value.high, gradient.high);
      total = {_mm512_add_ps(total.low, low.g), _mm512_add_ps(total.high, high.g)};
      weighted = {_mm512_fmadd_ps(low.g, low.centred, weighted.low), _mm512_fmadd_ps(high.g, high.centred, weighted.high)};
    }
    group.grow(total, sum);
    group.grow(weighted, product);
  });
}

template <Activation kActivation>
FOVEA_BF16 void normalise_backward_by(const Normalisation& by, const float* sum, const float* product, const Bf16* x,
                                      const Bf16* dy, std::int64_t rows, std::int64_t channels, Bf16* dx) {
  for_groups(rows, channels, [&](const Group& group, std::int64_t row, auto count) FOVEA_BF16 {
    const BothBy both(group, by);
    const Channels sums = group.load(sum), products = group.load(product);
    const auto one = [&](const By& half, __m512 value, __m512 gradient, __m512 less, __m512 slope) FOVEA_BF16 {
      const Gradient found = gradient_of<kActivation>(half, value, gradient);
      return _mm512_mul_ps(half.scale, _mm512_fnmadd_ps(found.centred, slope, _mm512_sub_ps(found.g, less)));
    };
    for (int i = 0; i < decltype(count)::value; ++i) {
      const std::int64_t at = (row + i) * channels;
      const Channels value = group.load_row(x + at), gradient = group.load_row(dy + at);
      group.store_row({one(both.low, value.low, gradient.low, sums.low, products.low),
                       one(both.high, value.high, gradient.high, sums.high, products.high)},
                      dx + at, false);
    }
  });
}

/// body(an activation as a constant).
template <class Body>
void by_activation(Activation activation, const Body& body) {
  switch (activation) {
    case Activation::kNone: return body(std::integral_constant<Activation, Activation::kNone>());
    case Activation::kRelu: return body(std::integral_constant<Activation, Activation::kRelu>());
    case Activation::kRelu6: return body(std::integral_constant<Activation, Activation::kRelu6>());
    case Activation::kSilu: return body(std::integral_constant<Activation, Activation::kSilu>());
  }
}

void normalise(Activation activation, const Normalisation& by, const Bf16* x, std::int64_t rows, std::int64_t channels, Bf16* y,
               bool large) {
  const bool stream = large && x != y && channels % kNumbers == 0 && reinterpret_cast<std::uintptr_t>(y) % 64 == 0;
  by_activation(activation, [&](auto which) { normalise_by<decltype(which)::value>(by, x, rows, channels, y, stream); });
}

void gradient_sums(Activation activation, const Normalisation& by, const Bf16* x, const Bf16* dy, std::int64_t rows,
                   std::int64_t channels, float* sum, float* product) {
  by_activation(activation,
                [&](auto which) { gradient_sums_by<decltype(which)::value>(by, x, dy, rows, channels, sum, product); });
}

void normalise_backward(Activation activation, const Normalisation& by, const float* sum, const float* product, const Bf16* x,
                        const Bf16* dy, std::int64_t rows, std::int64_t channels, Bf16* dx) {
  by_activation(activation,
                [&](auto which) { normalise_backward_by<decltype(which)::value>(by, sum, product, x, dy, rows, channels, dx); });
}

}  // namespace

BatchNormKernels<Bf16> batch_norm_kernels() { return {moments, normalise, gradient_sums, normalise_backward}; }

}  // namespace fovea::cpu::bf16

#else

namespace fovea::cpu::bf16 {

// There is no unit for bf16, so nothing asks for these.
BatchNormKernels<Bf16> batch_norm_kernels() { return {}; }

}  // namespace fovea::cpu::bf16

#endif
