// SPDX-License-Identifier: Apache-2.0
#include "backend/cpu/kernels/batch_norm.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "backend/cpu/kernels/batch_norm.cpp"
#include "hwy/foreach_target.h"
// Highway wants its headers after the line above.
#include "backend/cpu/kernels/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace fovea::cpu::HWY_NAMESPACE {
namespace {

/// Rows taken together, so that what belongs to a channel is loaded once for them.
constexpr std::int64_t kRows = 4;

void clear(float* a, float* b, std::int64_t channels) {
  for_lanes(channels, [&](auto d, std::int64_t c) HWY_ATTR {
    hn::StoreU(hn::Zero(d), d, a + c);
    hn::StoreU(hn::Zero(d), d, b + c);
  });
}

/// The parameters of a group of lanes.
template <class D>
struct Lanes {
  using V = hn::Vec<D>;
  V mean, scale, shift;
  HWY_INLINE Lanes(D d, const Normalisation& by, std::int64_t c)
      : mean(hn::LoadU(d, by.mean + c)), scale(hn::LoadU(d, by.scale + c)), shift(hn::LoadU(d, by.shift + c)) {}
  HWY_INLINE V normalised(V centred) const { return hn::MulAdd(centred, scale, shift); }
};

template <std::int64_t kRowCount>
struct Together {
  static constexpr std::int64_t kCount = kRowCount;
};

/// Calls body(row, Together<n>()) over all rows: n is kRows while it can be, then 1.
template <class Body>
HWY_INLINE void for_rows(std::int64_t rows, const Body& body) {
  std::int64_t r = 0;
  for (; r + kRows <= rows; r += kRows) body(r, Together<kRows>());
  for (; r < rows; ++r) body(r, Together<1>());
}

template <Activation kActivation>
HWY_INLINE void normalise(const Normalisation& by, const float* x, std::int64_t rows, std::int64_t channels, float* y,
                          bool stream) {
  for_rows(rows, [&](std::int64_t r, auto together) HWY_ATTR {
    for_lanes(channels, [&](auto d, std::int64_t c) HWY_ATTR {
      const Lanes lanes(d, by, c);
      HWY_UNROLL(kRows)
      for (std::int64_t i = 0; i < decltype(together)::kCount; ++i) {
        const std::int64_t at = (r + i) * channels + c;
        const auto z = lanes.normalised(hn::Sub(hn::LoadU(d, x + at), lanes.mean));
        store(activate<kActivation>(d, z), d, y + at, stream);
      }
    });
  });
}

template <Activation kActivation>
HWY_INLINE void gradient_sums(const Normalisation& by, const float* x, const float* dy, std::int64_t rows, std::int64_t channels,
                              float* sum, float* product) {
  clear(sum, product, channels);
  for_rows(rows, [&](std::int64_t r, auto together) HWY_ATTR {
    for_lanes(channels, [&](auto d, std::int64_t c) HWY_ATTR {
      const Lanes lanes(d, by, c);
      auto total = hn::Zero(d);
      auto weighted = hn::Zero(d);
      HWY_UNROLL(kRows)
      for (std::int64_t i = 0; i < decltype(together)::kCount; ++i) {
        const std::int64_t at = (r + i) * channels + c;
        const auto centred = hn::Sub(hn::LoadU(d, x + at), lanes.mean);
        const auto g = through_slope<kActivation>(d, lanes.normalised(centred), hn::LoadU(d, dy + at));
        total = hn::Add(total, g);
        weighted = hn::MulAdd(g, centred, weighted);
      }
      hn::StoreU(hn::Add(hn::LoadU(d, sum + c), total), d, sum + c);
      hn::StoreU(hn::Add(hn::LoadU(d, product + c), weighted), d, product + c);
    });
  });
}

template <Activation kActivation>
HWY_INLINE void normalise_backward(const Normalisation& by, const float* sum, const float* product, const float* x,
                                   const float* dy, std::int64_t rows, std::int64_t channels, float* dx) {
  for_rows(rows, [&](std::int64_t r, auto together) HWY_ATTR {
    for_lanes(channels, [&](auto d, std::int64_t c) HWY_ATTR {
      const Lanes lanes(d, by, c);
      const auto sums = hn::LoadU(d, sum + c);
      const auto products = hn::LoadU(d, product + c);
      HWY_UNROLL(kRows)
      for (std::int64_t i = 0; i < decltype(together)::kCount; ++i) {
        const std::int64_t at = (r + i) * channels + c;
        const auto centred = hn::Sub(hn::LoadU(d, x + at), lanes.mean);
        const auto g = through_slope<kActivation>(d, lanes.normalised(centred), hn::LoadU(d, dy + at));
        hn::StoreU(hn::Mul(lanes.scale, hn::NegMulAdd(centred, products, hn::Sub(g, sums))), d, dx + at);
      }
    });
  });
}

}  // namespace

void moments_kernel(const float* HWY_RESTRICT x, std::int64_t rows, std::int64_t channels, const float* HWY_RESTRICT pivot,
                    float* HWY_RESTRICT sum, float* HWY_RESTRICT squares) {
  clear(sum, squares, channels);
  for_rows(rows, [&](std::int64_t r, auto together) HWY_ATTR {
    for_lanes(channels, [&](auto d, std::int64_t c) HWY_ATTR {
      const auto origin = hn::LoadU(d, pivot + c);
      auto total = hn::Zero(d);
      auto square = hn::Zero(d);
      HWY_UNROLL(kRows)
      for (std::int64_t i = 0; i < decltype(together)::kCount; ++i) {
        const auto centred = hn::Sub(hn::LoadU(d, x + (r + i) * channels + c), origin);
        total = hn::Add(total, centred);
        square = hn::MulAdd(centred, centred, square);
      }
      hn::StoreU(hn::Add(hn::LoadU(d, sum + c), total), d, sum + c);
      hn::StoreU(hn::Add(hn::LoadU(d, squares + c), square), d, squares + c);
    });
  });
}

void normalise_kernel(Activation activation, const Normalisation& by, const float* x, std::int64_t rows, std::int64_t channels,
                      float* y, bool large) {
  const bool stream = large && x != y && can_stream(y, channels);
  switch (activation) {
    case Activation::kNone: normalise<Activation::kNone>(by, x, rows, channels, y, stream); break;
    case Activation::kRelu: normalise<Activation::kRelu>(by, x, rows, channels, y, stream); break;
    case Activation::kRelu6: normalise<Activation::kRelu6>(by, x, rows, channels, y, stream); break;
    case Activation::kSilu: normalise<Activation::kSilu>(by, x, rows, channels, y, stream); break;
  }
  if (stream) hwy::FlushStream();
}

void gradient_sums_kernel(Activation activation, const Normalisation& by, const float* x, const float* dy, std::int64_t rows,
                          std::int64_t channels, float* sum, float* product) {
  switch (activation) {
    case Activation::kNone: return gradient_sums<Activation::kNone>(by, x, dy, rows, channels, sum, product);
    case Activation::kRelu: return gradient_sums<Activation::kRelu>(by, x, dy, rows, channels, sum, product);
    case Activation::kRelu6: return gradient_sums<Activation::kRelu6>(by, x, dy, rows, channels, sum, product);
    case Activation::kSilu: return gradient_sums<Activation::kSilu>(by, x, dy, rows, channels, sum, product);
  }
}

void normalise_backward_kernel(Activation activation, const Normalisation& by, const float* sum, const float* product,
                               const float* x, const float* dy, std::int64_t rows, std::int64_t channels, float* dx) {
  switch (activation) {
    case Activation::kNone: return normalise_backward<Activation::kNone>(by, sum, product, x, dy, rows, channels, dx);
    case Activation::kRelu: return normalise_backward<Activation::kRelu>(by, sum, product, x, dy, rows, channels, dx);
    case Activation::kRelu6: return normalise_backward<Activation::kRelu6>(by, sum, product, x, dy, rows, channels, dx);
    case Activation::kSilu: return normalise_backward<Activation::kSilu>(by, sum, product, x, dy, rows, channels, dx);
  }
}

}  // namespace fovea::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace fovea::cpu {

FOVEA_VERSIONS(moments_kernel);
FOVEA_VERSIONS(normalise_kernel);
FOVEA_VERSIONS(gradient_sums_kernel);
FOVEA_VERSIONS(normalise_backward_kernel);

BatchNormKernels<float> batch_norm_kernels(Target target) {
  return {FOVEA_VERSION(moments_kernel, target), FOVEA_VERSION(normalise_kernel, target),
          FOVEA_VERSION(gradient_sums_kernel, target), FOVEA_VERSION(normalise_backward_kernel, target)};
}

}  // namespace fovea::cpu
#endif
