// SPDX-License-Identifier: Apache-2.0
#include "backend/cpu/kernels/bf16/batch_norm.h"

#include "backend/cpu/kernels/bf16/intrinsics.h"

#if FOVEA_HAS_BF16

#include <algorithm>
#include <type_traits>

#include "backend/cpu/kernels/bf16/activation.h"
#include "backend/cpu/kernels/bf16/channels.h"

namespace fovea::cpu::bf16 {
namespace {

using graph::Activation;

/// The gradient before the activation, and how far x is from its mean.
struct Gradient {
  __m512 g, centred;
};
template <Activation kActivation>
FOVEA_BF16_INLINE Gradient gradient_of(const By& by, __m512 x, __m512 dy) {
  const __m512 centred = by.centred(x);
  return {through_slope<kActivation>(by.normalised(centred), dy), centred};
}

FOVEA_BF16 void moments(const Bf16* x, std::int64_t rows, std::int64_t channels, const float* pivot, float* sum, float* squares) {
  for (float* total : {sum, squares}) std::fill_n(total, channels, 0.0F);
  for_groups(rows, channels, [&](const Group& group, std::int64_t row, auto count) FOVEA_BF16 {
    const Channels origin = group.load(pivot);
    GroupSums sums;
    for (int i = 0; i < decltype(count)::value; ++i) {
      const Channels value = group.load_row(x + (row + i) * channels);
      const Channels centred = value - origin;
      sums.add(centred, centred);
    }
    sums.end(group, sum, squares);
  });
}

template <Activation kActivation>
FOVEA_BF16 void normalise_by(const Normalisation& by, const Bf16* x, std::int64_t rows, std::int64_t channels, Bf16* y,
                             bool stream) {
  for_groups(rows, channels, [&](const Group& group, std::int64_t row, auto count) FOVEA_BF16 {
    const BothBy both(group, by);
    const auto one = [&](const By& half, __m512 value)
                         FOVEA_BF16 { return activated<kActivation>(half.normalised(half.centred(value))); };
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
    GroupSums sums;
    for (int i = 0; i < decltype(count)::value; ++i) {
      const std::int64_t at = (row + i) * channels;
      const Channels value = group.load_row(x + at), gradient = group.load_row(dy + at);
      const Gradient low = gradient_of<kActivation>(both.low, value.low, gradient.low);
      const Gradient high = gradient_of<kActivation>(both.high, value.high, gradient.high);
      sums.add({low.g, high.g}, {low.centred, high.centred});
    }
    sums.end(group, sum, product);
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
      return back_through_norm(half.scale, less, slope, found.g, found.centred);
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
  const bool stream = large && x != y && can_stream(y, channels);
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
