// SPDX-License-Identifier: Apache-2.0
#include "backend/cpu/kernels/softmax.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "backend/cpu/kernels/softmax.cpp"
#include "hwy/foreach_target.h"
// Highway wants its headers after the line above.
#include "backend/cpu/kernels/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace fovea::cpu::HWY_NAMESPACE {

SoftmaxTerms softmax_kernel(const float* x, float* p, std::int64_t count) {
  float largest = x[0];
  for_lanes(count, [&](auto d, std::int64_t i) HWY_ATTR {
    const float here = hn::GetLane(hn::MaxOfLanes(d, hn::LoadU(d, x + i)));
    largest = here > largest ? here : largest;
  });
  float sum = 0;
  for_lanes(count, [&](auto d, std::int64_t i) HWY_ATTR {
    const auto term = hn::Exp(d, hn::Sub(hn::LoadU(d, x + i), hn::Set(d, largest)));
    hn::StoreU(term, d, p + i);
    sum += hn::GetLane(hn::SumOfLanes(d, term));
  });
  for_lanes(count, [&](auto d, std::int64_t i) HWY_ATTR { hn::StoreU(hn::Div(hn::LoadU(d, p + i), hn::Set(d, sum)), d, p + i); });
  return {largest, sum};
}

}  // namespace fovea::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace fovea::cpu {

FOVEA_VERSIONS(softmax_kernel);

SoftmaxKernel* softmax_row(Target target) { return FOVEA_VERSION(softmax_kernel, target); }

}  // namespace fovea::cpu
#endif
