// Fovea: what kernels of fused blocks share, compiled once per instruction set: parts of a vector, rows taken together.
// SPDX-License-Identifier: Apache-2.0
#include <cstdint>

#include "backend/cpu/kernels/block_product.h"
#include "backend/cpu/kernels/simd-inl.h"

#if defined(FOVEA_LANES_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef FOVEA_LANES_INL_H
#undef FOVEA_LANES_INL_H
#else
#define FOVEA_LANES_INL_H
#endif

HWY_BEFORE_NAMESPACE();
namespace fovea::cpu::HWY_NAMESPACE {

using V = hn::Vec<Full>;
constexpr std::int64_t kLanes = HWY_LANES(float) < 16 ? HWY_LANES(float) : 16;
static_assert(HWY_LANES(float) <= 16, "a block is at least a vector");
constexpr std::int64_t kVectors = kBlockChannels / kLanes;  ///< of a panel of as many columns as a block has

/// How many rows a body takes at once.
template <std::int64_t kRows>
struct Together {
  static constexpr std::int64_t kCount = kRows;
};

/// One step of the depth of a product with panels, the factors in a lane.
template <int kLane, std::int64_t kRows, std::int64_t kColumns>
HWY_INLINE void add_lane(const V (&factors)[kRows], const float* HWY_RESTRICT b, std::int64_t b_next, V (&sum)[kRows][kColumns]) {
  HWY_UNROLL(16)
  for (std::int64_t v = 0; v < kColumns; ++v) {
    const V column = hn::Load(Full(), b + v / kVectors * b_next + v % kVectors * kLanes);
    HWY_UNROLL(12)
    for (std::int64_t i = 0; i < kRows; ++i) sum[i][v] = mul_add_lane<kLane>(factors[i], column, sum[i][v]);
  }
}

/// The first `count` lanes, nothing beyond them touched; zeros in the others.
HWY_INLINE V load_first(const float* from, std::int64_t count) {
  const Full d;
  if (count >= kLanes) return hn::LoadU(d, from);
  // Shorter vectors than AVX2's have no masked access to memory.
  if constexpr (kLanes >= 8) return hn::MaskedLoad(hn::FirstN(d, static_cast<std::size_t>(count)), d, from);
  HWY_ALIGN float lanes[HWY_LANES(float)] = {};
  for (std::int64_t i = 0; i < count; ++i) lanes[i] = from[i];
  return hn::Load(d, lanes);
}
HWY_INLINE void store_first(V value, float* to, std::int64_t count) {
  const Full d;
  if (count >= kLanes) return hn::StoreU(value, d, to);
  if constexpr (kLanes >= 8) return hn::BlendedStore(value, hn::FirstN(d, static_cast<std::size_t>(count)), d, to);
  HWY_ALIGN float lanes[HWY_LANES(float)];
  hn::Store(value, d, lanes);
  for (std::int64_t i = 0; i < count; ++i) to[i] = lanes[i];
}

}  // namespace fovea::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
