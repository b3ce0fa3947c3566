// SPDX-License-Identifier: Apache-2.0
#include "backend/cpu/kernels/elementwise.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "backend/cpu/kernels/elementwise.cpp"
#include "hwy/foreach_target.h"
// Highway wants its headers after the line above.
#include "backend/cpu/kernels/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace fovea::cpu::HWY_NAMESPACE {
namespace {

template <Activation kActivation>
HWY_INLINE void activate_all(const float* x, float* y, std::int64_t count) {
  for_lanes(count, [&](auto d, std::int64_t i) HWY_ATTR { hn::StoreU(activate<kActivation>(d, hn::LoadU(d, x + i)), d, y + i); });
}

template <Activation kActivation>
HWY_INLINE void activate_backward_all(const float* saved, const float* dy, float* dx, std::int64_t count) {
  for_lanes(count, [&](auto d, std::int64_t i) HWY_ATTR {
    hn::StoreU(through_slope<kActivation>(d, hn::LoadU(d, saved + i), hn::LoadU(d, dy + i)), d, dx + i);
  });
}

}  // namespace

void activate_kernel(Activation activation, const float* x, float* y, std::int64_t count) {
  switch (activation) {
    case Activation::kNone: return activate_all<Activation::kNone>(x, y, count);
    case Activation::kRelu: return activate_all<Activation::kRelu>(x, y, count);
    case Activation::kRelu6: return activate_all<Activation::kRelu6>(x, y, count);
    case Activation::kSilu: return activate_all<Activation::kSilu>(x, y, count);
  }
}

void activate_backward_kernel(Activation activation, const float* saved, const float* dy, float* dx, std::int64_t count) {
  switch (activation) {
    case Activation::kNone: return activate_backward_all<Activation::kNone>(saved, dy, dx, count);
    case Activation::kRelu: return activate_backward_all<Activation::kRelu>(saved, dy, dx, count);
    case Activation::kRelu6: return activate_backward_all<Activation::kRelu6>(saved, dy, dx, count);
    case Activation::kSilu: return activate_backward_all<Activation::kSilu>(saved, dy, dx, count);
  }
}

void silu_with_slope_kernel(const float* x, float* y, float* slope, std::int64_t count) {
  for_lanes(count, [&](auto d, std::int64_t i) HWY_ATTR {
    const auto in = hn::LoadU(d, x + i), s = sigmoid(d, in), silu = hn::Mul(in, s);
    hn::StoreU(silu, d, y + i);
    hn::StoreU(hn::MulAdd(silu, hn::Sub(hn::Set(d, 1.0F), s), s), d, slope + i);
  });
}

void multiply_kernel(const float* a, const float* b, float* y, std::int64_t count) {
  for_lanes(count,
            [&](auto d, std::int64_t i) HWY_ATTR { hn::StoreU(hn::Mul(hn::LoadU(d, a + i), hn::LoadU(d, b + i)), d, y + i); });
}

void add_kernel(const float* a, const float* b, float* y, std::int64_t count) {
  for_lanes(count,
            [&](auto d, std::int64_t i) HWY_ATTR { hn::StoreU(hn::Add(hn::LoadU(d, a + i), hn::LoadU(d, b + i)), d, y + i); });
}

void scale_kernel(float a, const float* x, float* y, std::int64_t count) {
  for_lanes(count, [&](auto d, std::int64_t i) HWY_ATTR { hn::StoreU(hn::Mul(hn::Set(d, a), hn::LoadU(d, x + i)), d, y + i); });
}

float dot_kernel(const float* a, const float* b, std::int64_t count) {
  const Full d;
  constexpr std::int64_t kLanes = HWY_LANES(float);
  auto even = hn::Zero(d);
  auto odd = hn::Zero(d);
  std::int64_t i = 0;
  for (; i + 2 * kLanes <= count; i += 2 * kLanes) {
    even = hn::MulAdd(hn::LoadU(d, a + i), hn::LoadU(d, b + i), even);
    odd = hn::MulAdd(hn::LoadU(d, a + i + kLanes), hn::LoadU(d, b + i + kLanes), odd);
  }
  float sum = hn::GetLane(hn::SumOfLanes(d, hn::Add(even, odd)));
  for (; i < count; ++i) sum += a[i] * b[i];
  return sum;
}

void multiply_add_kernel(float a, const float* x, float* y, std::int64_t count) {
  for_lanes(count, [&](auto d, std::int64_t i)
                       HWY_ATTR { hn::StoreU(hn::MulAdd(hn::Set(d, a), hn::LoadU(d, x + i), hn::LoadU(d, y + i)), d, y + i); });
}

void sum_parts_kernel(const float* x, std::int64_t parts, std::int64_t stride, float* y, std::int64_t count) {
  for_lanes(count, [&](auto d, std::int64_t i) HWY_ATTR {
    auto sum = hn::LoadU(d, x + i);
    for (std::int64_t p = 1; p < parts; ++p) sum = hn::Add(sum, hn::LoadU(d, x + p * stride + i));
    hn::StoreU(sum, d, y + i);
  });
}

}  // namespace fovea::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace fovea::cpu {

FOVEA_VERSIONS(activate_kernel);
FOVEA_VERSIONS(activate_backward_kernel);
FOVEA_VERSIONS(silu_with_slope_kernel);
FOVEA_VERSIONS(multiply_kernel);
FOVEA_VERSIONS(add_kernel);
FOVEA_VERSIONS(scale_kernel);
FOVEA_VERSIONS(dot_kernel);
FOVEA_VERSIONS(multiply_add_kernel);
FOVEA_VERSIONS(sum_parts_kernel);

Elementwise elementwise(Target target) {
  return {FOVEA_VERSION(activate_kernel, target),
          FOVEA_VERSION(activate_backward_kernel, target),
          FOVEA_VERSION(silu_with_slope_kernel, target),
          FOVEA_VERSION(multiply_kernel, target),
          FOVEA_VERSION(add_kernel, target),
          FOVEA_VERSION(scale_kernel, target),
          FOVEA_VERSION(dot_kernel, target),
          FOVEA_VERSION(multiply_add_kernel, target),
          FOVEA_VERSION(sum_parts_kernel, target)};
}

}  // namespace fovea::cpu
#endif
