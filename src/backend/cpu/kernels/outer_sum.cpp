// SPDX-License-Identifier: Apache-2.0
//
// A tile of sums stays in registers while a block of rows, which stays in the second-level cache, goes by. No copies are made:
// elements of a are broadcast, those of b are vectors.
#include "backend/cpu/kernels/outer_sum.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "backend/cpu/kernels/outer_sum.cpp"
#include "hwy/foreach_target.h"
// Highway wants its headers after the line above.
#include "backend/cpu/kernels/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace fovea::cpu::HWY_NAMESPACE {
namespace {

/// 24 sums of 32 registers, 12 of 16; of short vectors as many as networks' channels are multiples of.
constexpr std::int64_t kTall = kRegisters == 32 ? 8 : 4;
constexpr std::int64_t kWide = HWY_LANES(float) < 16 && kRegisters == 32 ? 2 : 3;

template <std::int64_t kHeight, std::int64_t kVectors, class D>
HWY_INLINE void tile(D d, const float* HWY_RESTRICT a, std::int64_t a_stride, const float* HWY_RESTRICT b, std::int64_t b_stride,
                     std::int64_t rows, float* HWY_RESTRICT sums, std::int64_t sums_stride, bool first) {
  using V = hn::Vec<D>;
  constexpr std::int64_t kLanes = static_cast<std::int64_t>(hn::MaxLanes(D()));
  V sum[kHeight][kVectors];
  HWY_UNROLL(8)
  for (std::int64_t i = 0; i < kHeight; ++i) {
    HWY_UNROLL(4)
    for (std::int64_t v = 0; v < kVectors; ++v) {
      sum[i][v] = first ? hn::Zero(d) : hn::LoadU(d, sums + i * sums_stride + v * kLanes);
    }
  }
  for (std::int64_t r = 0; r < rows; ++r) {
    V row[kVectors];
    HWY_UNROLL(4)
    for (std::int64_t v = 0; v < kVectors; ++v) row[v] = hn::LoadU(d, b + r * b_stride + v * kLanes);
    add_row(d, a + r * a_stride, row, sum);
  }
  HWY_UNROLL(8)
  for (std::int64_t i = 0; i < kHeight; ++i) {
    HWY_UNROLL(4)
    for (std::int64_t v = 0; v < kVectors; ++v) hn::StoreU(sum[i][v], d, sums + i * sums_stride + v * kLanes);
  }
}

/// kHeight rows of the sums.
template <std::int64_t kHeight>
HWY_INLINE void band(const float* a, std::int64_t a_stride, const Columns& b, std::int64_t rows, float* sums,
                     std::int64_t sums_stride, bool first) {
  constexpr std::int64_t kStep = kWide * HWY_LANES(float);
  std::int64_t j = 0;
  for (; j + kStep <= b.count; j += kStep) {
    tile<kHeight, kWide>(Full(), a, a_stride, b.data + j, b.stride, rows, sums + j, sums_stride, first);
  }
  for_lanes(b.count - j, [&](auto d, std::int64_t c) HWY_ATTR {
    tile<kHeight, 1>(d, a, a_stride, b.data + j + c, b.stride, rows, sums + j + c, sums_stride, first);
  });
}

}  // namespace

void outer_sum_kernel(const Columns& a, const Columns& b, std::int64_t rows, float* sums, std::int64_t sums_stride, bool first) {
  std::int64_t i = 0;
  for (; i + kTall <= a.count; i += kTall) band<kTall>(a.data + i, a.stride, b, rows, sums + i * sums_stride, sums_stride, first);
  for (; i + 4 <= a.count; i += 4) band<4>(a.data + i, a.stride, b, rows, sums + i * sums_stride, sums_stride, first);
  for (; i + 2 <= a.count; i += 2) band<2>(a.data + i, a.stride, b, rows, sums + i * sums_stride, sums_stride, first);
  for (; i < a.count; ++i) band<1>(a.data + i, a.stride, b, rows, sums + i * sums_stride, sums_stride, first);
}

}  // namespace fovea::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace fovea::cpu {

FOVEA_VERSIONS(outer_sum_kernel);

OuterSumKernel* outer_sum(Target target) { return FOVEA_VERSION(outer_sum_kernel, target); }

}  // namespace fovea::cpu
#endif
