// Fovea: what the kernels share, compiled once per instruction set.
// SPDX-License-Identifier: Apache-2.0
//
// Kernels call nothing from the standard library in here: an inline function first compiled for wide vectors could be the one
// that the linker keeps for every processor.
#include <cstdint>

#include "core/vector_versions.h"
#include "graph/ops.h"
#include "hwy/cache_control.h"
#include "hwy/highway.h"

#if defined(FOVEA_SIMD_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef FOVEA_SIMD_INL_H
#undef FOVEA_SIMD_INL_H
#else
#define FOVEA_SIMD_INL_H
#endif

#include "hwy/contrib/math/math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace fovea::cpu::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
using graph::Activation;

using Full = hn::ScalableTag<float>;
using Half = hn::CappedTag<float, (HWY_LANES(float) > 1 ? HWY_LANES(float) / 2 : 1)>;
using One = hn::CappedTag<float, 1>;

#if HWY_TARGET == HWY_NEON && HWY_ARCH_ARM_A64
#define FOVEA_LANE_FACTORS 1
#else
#define FOVEA_LANE_FACTORS 0
#endif
/// Whether a multiply-add takes one of its factors from a lane of a vector, which saves what would spread it: on 64-bit Arm.
constexpr bool kHasLaneFactors = FOVEA_LANE_FACTORS != 0;
/// Vector registers: twice the usual with AVX-512 and on 64-bit Arm.
constexpr int kRegisters = HWY_LANES(float) >= 16 || kHasLaneFactors ? 32 : 16;

/// sum + factors[kLane] v, of vectors of four floats.
template <int kLane, class V>
HWY_INLINE V mul_add_lane(V factors, V v, V sum) {
#if FOVEA_LANE_FACTORS
  return V(vfmaq_laneq_f32(sum.raw, v.raw, factors.raw, kLane));
#else
  return hn::MulAdd(hn::Broadcast<kLane>(factors), v, sum);
#endif
}
#undef FOVEA_LANE_FACTORS

/// sum += a' row: four elements of a by lanes where processors have that.
template <std::int64_t kHeight, std::int64_t kVectors, class D, class V = hn::Vec<D>>
HWY_INLINE void add_row(D d, const float* HWY_RESTRICT a, const V (&row)[kVectors], V (&sum)[kHeight][kVectors]) {
  if constexpr (kHasLaneFactors && hn::MaxLanes(D()) == 4 && kHeight % 4 == 0) {
    HWY_UNROLL(2)
    for (std::int64_t i = 0; i < kHeight; i += 4) {
      const V factors = hn::LoadU(d, a + i);
      HWY_UNROLL(16)
      for (std::int64_t v = 0; v < kVectors; ++v) {
        sum[i][v] = mul_add_lane<0>(factors, row[v], sum[i][v]);
        sum[i + 1][v] = mul_add_lane<1>(factors, row[v], sum[i + 1][v]);
        sum[i + 2][v] = mul_add_lane<2>(factors, row[v], sum[i + 2][v]);
        sum[i + 3][v] = mul_add_lane<3>(factors, row[v], sum[i + 3][v]);
      }
    }
  } else {
    HWY_UNROLL(8)
    for (std::int64_t i = 0; i < kHeight; ++i) {
      const V factor = hn::Set(d, a[i]);
      HWY_UNROLL(16)
      for (std::int64_t v = 0; v < kVectors; ++v) sum[i][v] = hn::MulAdd(factor, row[v], sum[i][v]);
    }
  }
}

/// Calls body(d, i) for consecutive groups of lanes that cover [0, count): whole vectors, then a half, then single elements.
/// Nothing beyond `count` is touched, so tails need neither masks nor padding.
template <class Body>
HWY_INLINE void for_lanes(std::int64_t count, const Body& body) {
  constexpr std::int64_t kFull = HWY_LANES(float);
  constexpr std::int64_t kHalf = kFull > 1 ? kFull / 2 : 1;
  std::int64_t i = 0;
  for (; i + kFull <= count; i += kFull) body(Full(), i);
  if (kHalf > 1 && i + kHalf <= count) {
    body(Half(), i);
    i += kHalf;
  }
  for (; i < count; ++i) body(One(), i);
}

/// Stores past the caches if `stream`: what is too large to be found there again need not be fetched before it is overwritten.
/// Needs can_stream().
template <class D, class V = hn::Vec<D>>
HWY_INLINE void store(V v, D d, float* to, bool stream) {
  if constexpr (hn::MaxLanes(D()) == HWY_LANES(float)) {
    if (stream) {
      hn::Stream(v, d, to);
      return;
    }
  }
  hn::StoreU(v, d, to);
}
/// Whether all rows of `channels` floats from `to` on are whole, aligned vectors.
HWY_INLINE bool can_stream(const float* to, std::int64_t channels) {
  return channels % static_cast<std::int64_t>(HWY_LANES(float)) == 0 &&
         reinterpret_cast<std::uintptr_t>(to) % (HWY_LANES(float) * sizeof(float)) == 0;
}

/// 1 + exp(-x), to rounding. exp(-x) = 2^n exp(r), n whole and |r| at most half of log 2, where what the series leaves out after
/// its seventh power is below a tenth of a float's last place.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V one_plus_exp_of_negative(D d, V x) {
  const hn::RebindToSigned<D> bits;
  const V one = hn::Set(d, 1.0F);
  // Beyond +-87 the exponential leaves the range of floats.
  x = hn::Min(hn::Max(x, hn::Set(d, -87.0F)), hn::Set(d, 87.0F));
  const V shift = hn::Set(d, 0x1.8p23F);  // a float that large has its whole part in its lowest bits
  const V shifted = hn::MulAdd(x, hn::Set(d, -0x1.715476p0F), shift);
  const V n = hn::Sub(shifted, shift);
  // log 2 in two parts; n times the first is exact.
  const V r = hn::NegMulAdd(n, hn::Set(d, -0x1.05c610p-29F), hn::NegMulSub(n, hn::Set(d, 0x1.62e430p-1F), x));
  V e = hn::MulAdd(r, hn::Set(d, 1.0F / 5040), hn::Set(d, 1.0F / 720));
  e = hn::MulAdd(e, r, hn::Set(d, 1.0F / 120));
  e = hn::MulAdd(e, r, hn::Set(d, 1.0F / 24));
  e = hn::MulAdd(e, r, hn::Set(d, 1.0F / 6));
  e = hn::MulAdd(e, r, hn::Set(d, 0.5F));
  e = hn::MulAdd(e, r, one);
  e = hn::MulAdd(e, r, one);
  const auto exponent = hn::ShiftLeft<23>(hn::BitCast(bits, shifted));
  return hn::Add(one, hn::BitCast(d, hn::Add(hn::BitCast(bits, e), exponent)));
}

template <class D, class V = hn::Vec<D>>
HWY_INLINE V sigmoid(D d, V x) {
  return hn::Div(hn::Set(d, 1.0F), one_plus_exp_of_negative(d, x));
}

template <Activation kActivation, class D, class V = hn::Vec<D>>
HWY_INLINE V activate(D d, V x) {
  if constexpr (kActivation == Activation::kRelu) return hn::Max(x, hn::Zero(d));
  if constexpr (kActivation == Activation::kRelu6) return hn::Min(hn::Max(x, hn::Zero(d)), hn::Set(d, 6.0F));
  if constexpr (kActivation == Activation::kSilu) return hn::Div(x, one_plus_exp_of_negative(d, x));
  return x;
}

template <class D, class V = hn::Vec<D>>
HWY_INLINE V activate_by(D d, Activation activation, V x) {
  switch (activation) {
    case Activation::kNone: return x;
    case Activation::kRelu: return activate<Activation::kRelu>(d, x);
    case Activation::kRelu6: return activate<Activation::kRelu6>(d, x);
    case Activation::kSilu: return activate<Activation::kSilu>(d, x);
  }
  return x;
}

/// dy times the activation's derivative at its input x; for relu and relu6 its output serves as well.
template <Activation kActivation, class D, class V = hn::Vec<D>>
HWY_INLINE V through_slope(D d, V x, V dy) {
  if constexpr (kActivation == Activation::kRelu) return hn::IfThenElseZero(hn::Gt(x, hn::Zero(d)), dy);
  if constexpr (kActivation == Activation::kRelu6) {
    return hn::IfThenElseZero(hn::And(hn::Gt(x, hn::Zero(d)), hn::Lt(x, hn::Set(d, 6.0F))), dy);
  }
  if constexpr (kActivation == Activation::kSilu) {
    const V s = sigmoid(d, x);
    return hn::Mul(dy, hn::Mul(s, hn::MulAdd(x, hn::Sub(hn::Set(d, 1.0F), s), hn::Set(d, 1.0F))));
  }
  return dy;
}

/// For the activations whose derivative can be told from their output.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V through_slope_by(D d, Activation activation, V x, V dy) {
  if (activation == Activation::kRelu6) return through_slope<Activation::kRelu6>(d, x, dy);
  if (activation == Activation::kRelu) return through_slope<Activation::kRelu>(d, x, dy);
  return dy;
}

}  // namespace fovea::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
