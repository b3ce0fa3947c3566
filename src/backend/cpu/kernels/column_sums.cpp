// SPDX-License-Identifier: Apache-2.0
#include "backend/cpu/kernels/column_sums.h"

#include <algorithm>

#include "core/parallel.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "backend/cpu/kernels/column_sums.cpp"
#include "hwy/foreach_target.h"
// Highway wants its headers after the line above.
#include "backend/cpu/kernels/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace fovea::cpu::HWY_NAMESPACE {

/// Rows are taken by eights, so that the sums stay in the nearest cache and memory is walked in order.
void sum_rows_kernel(const float* HWY_RESTRICT x, std::int64_t rows, std::int64_t channels, float* HWY_RESTRICT y, bool first) {
  constexpr std::int64_t kRows = 8;
  if (first) for_lanes(channels, [&](auto d, std::int64_t c) HWY_ATTR { hn::StoreU(hn::Zero(d), d, y + c); });
  std::int64_t r = 0;
  for (; r + kRows <= rows; r += kRows) {
    const float* from = x + r * channels;
    for_lanes(channels, [&](auto d, std::int64_t c) HWY_ATTR {
      auto sum = hn::LoadU(d, from + c);
      HWY_UNROLL(8)
      for (std::int64_t i = 1; i < kRows; ++i) sum = hn::Add(sum, hn::LoadU(d, from + i * channels + c));
      hn::StoreU(hn::Add(hn::LoadU(d, y + c), sum), d, y + c);
    });
  }
  for (; r < rows; ++r) {
    for_lanes(channels, [&](auto d, std::int64_t c)
                            HWY_ATTR { hn::StoreU(hn::Add(hn::LoadU(d, y + c), hn::LoadU(d, x + r * channels + c)), d, y + c); });
  }
}

}  // namespace fovea::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace fovea::cpu {
namespace {

constexpr std::int64_t kMaxParts = 16;
constexpr std::int64_t kRowsPerPart = 256;

}  // namespace

FOVEA_VERSIONS(sum_rows_kernel);

SumRowsKernel* sum_rows(Target target) { return FOVEA_VERSION(sum_rows_kernel, target); }

ColumnSums::ColumnSums(Target target, const Context& context, std::int64_t rows, std::int64_t channels)
    : context_(context),
      rows_(rows),
      channels_(channels),
      parts_(std::clamp<std::int64_t>(rows / kRowsPerPart, 1, kMaxParts)),
      sum_rows_(sum_rows(target)) {}

std::size_t ColumnSums::scratch_bytes() const { return static_cast<std::size_t>(parts_ * channels_) * sizeof(float); }

void ColumnSums::run(const float* x, float* y, float* scratch) const {
  parallel_for(context_, parts_, [&](std::int64_t p) {
    const Range r = part_of(rows_, parts_, p);
    sum_rows_(x + r.begin * channels_, r.size(), channels_, scratch + p * channels_, true);
  });
  sum_rows_(scratch, parts_, channels_, y, true);
}

}  // namespace fovea::cpu
#endif
