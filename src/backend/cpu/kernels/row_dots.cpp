// SPDX-License-Identifier: Apache-2.0
#include "backend/cpu/kernels/row_dots.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "backend/cpu/kernels/row_dots.cpp"
#include "hwy/foreach_target.h"
// Highway wants its headers after the line above.
#include "backend/cpu/kernels/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace fovea::cpu::HWY_NAMESPACE {
namespace {

/// Rows of x and of w in a tile: 24 sums of 32 registers, 12 of 16.
constexpr std::int64_t kTall = 4;
constexpr std::int64_t kWide = kRegisters == 32 ? 6 : 3;

template <std::int64_t kRows, std::int64_t kOutputs>
HWY_NOINLINE void tile(const RowDots& p, std::int64_t n, std::int64_t k) {
  const Full d;
  using V = hn::Vec<Full>;
  constexpr std::int64_t kLanes = HWY_LANES(float);
  const float* HWY_RESTRICT x = p.x + n * p.depth;
  const float* HWY_RESTRICT w = p.w + k * p.depth;
  V sums[kRows][kOutputs];
  HWY_UNROLL(4)
  for (std::int64_t i = 0; i < kRows; ++i) {
    HWY_UNROLL(6)
    for (std::int64_t j = 0; j < kOutputs; ++j) sums[i][j] = hn::Zero(d);
  }
  std::int64_t c = 0;
  for (; c + kLanes <= p.depth; c += kLanes) {
    V weights[kOutputs];
    HWY_UNROLL(6)
    for (std::int64_t j = 0; j < kOutputs; ++j) weights[j] = hn::LoadU(d, w + j * p.depth + c);
    HWY_UNROLL(4)
    for (std::int64_t i = 0; i < kRows; ++i) {
      const V factor = hn::LoadU(d, x + i * p.depth + c);
      HWY_UNROLL(6)
      for (std::int64_t j = 0; j < kOutputs; ++j) sums[i][j] = hn::MulAdd(factor, weights[j], sums[i][j]);
    }
  }
  HWY_UNROLL(4)
  for (std::int64_t i = 0; i < kRows; ++i) {
    HWY_UNROLL(6)
    for (std::int64_t j = 0; j < kOutputs; ++j) {
      float sum = hn::GetLane(hn::SumOfLanes(d, sums[i][j]));
      for (std::int64_t last = c; last < p.depth; ++last) sum += x[i * p.depth + last] * w[j * p.depth + last];
      p.y[(n + i) * p.y_row + k + j] = sum + p.b[k + j];
    }
  }
}

/// All rows of x, for kOutputs rows of w that stay in the nearest cache.
template <std::int64_t kOutputs>
HWY_INLINE void all_rows(const RowDots& p, std::int64_t k) {
  std::int64_t n = 0;
  for (; n + kTall <= p.rows; n += kTall) tile<kTall, kOutputs>(p, n, k);
  for (; n < p.rows; ++n) tile<1, kOutputs>(p, n, k);
}

}  // namespace

void row_dots_kernel(const RowDots& p) {
  std::int64_t k = p.outputs.begin;
  for (; k + kWide <= p.outputs.end; k += kWide) all_rows<kWide>(p, k);
  for (; k < p.outputs.end; ++k) all_rows<1>(p, k);
}

}  // namespace fovea::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace fovea::cpu {

FOVEA_VERSIONS(row_dots_kernel);

RowDotsKernel* row_dots(Target target) { return FOVEA_VERSION(row_dots_kernel, target); }

}  // namespace fovea::cpu
#endif
