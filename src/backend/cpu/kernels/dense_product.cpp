// SPDX-License-Identifier: Apache-2.0
//
// A tile of sums stays in registers over the whole depth. Tiles of one product are equally tall, so that the last one repeats
// little of what the one before has done.
#include "backend/cpu/kernels/dense_product.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "backend/cpu/kernels/dense_product.cpp"
#include "hwy/foreach_target.h"
// Highway wants its headers after the line above.
#include "backend/cpu/kernels/lanes-inl.h"

HWY_BEFORE_NAMESPACE();
namespace fovea::cpu::HWY_NAMESPACE {
namespace {

/// 24 sums of AVX-512's 32 registers, 20 of NEON's, which hold factors too, 12 of 16.
constexpr std::int64_t kSums = kLanes == 16 ? 24 : (kRegisters == 32 ? 20 : 12);
constexpr std::int64_t kWide = kLanes == 16 ? 2 : 1;
constexpr std::int64_t kTall = kSums / (kWide * kVectors) > 0 ? kSums / (kWide * kVectors) : 1;
/// Of a single position, whose few sums would wait for each other.
constexpr std::int64_t kWideAlone = kLanes == 16 ? 8 : (kRegisters == 32 || kVectors <= 2 ? 4 : 1);

/// Steps of the depth by which weights are fetched before they are needed: they mostly come from the last cache.
constexpr std::int64_t kAhead = 16;

/// The columns of y from `column` on, of the vector there.
HWY_INLINE void store_columns(const DenseProduct& p, std::int64_t position, std::int64_t column, V sum) {
  if (column >= p.columns) return;
  const Full d;
  float* to = p.y + position * p.y_position + column;
  const V value = activate_by(d, p.activation, hn::Add(sum, hn::Load(d, p.b + column)));
  if (column + kLanes <= p.columns) {
    hn::StoreU(value, d, to);
    return;
  }
  HWY_ALIGN float lanes[HWY_LANES(float)];
  hn::Store(value, d, lanes);
  for (std::int64_t i = 0; i < p.columns - column; ++i) to[i] = lanes[i];
}

/// Positions [position, position + kRows) and kPanels panels.
template <std::int64_t kRows, std::int64_t kPanels>
HWY_INLINE void tile(const DenseProduct& p, std::int64_t position, std::int64_t panel) {
  constexpr std::int64_t kColumns = kPanels * kVectors;
  const Full d;
  const std::int64_t b_next = p.kernel_rows * p.depth * kBlockChannels;
  const float* HWY_RESTRICT b = p.w + panel * b_next;
  V sum[kRows][kColumns];
  HWY_UNROLL(12)
  for (std::int64_t i = 0; i < kRows; ++i) {
    HWY_UNROLL(16)
    for (std::int64_t v = 0; v < kColumns; ++v) sum[i][v] = hn::Zero(d);
  }
  for (std::int64_t r = 0; r < p.kernel_rows; ++r) {
    const float* at[kRows];
    HWY_UNROLL(12)
    for (std::int64_t i = 0; i < kRows; ++i) at[i] = p.x + p.place[position + i] + r * p.x_row;
    std::int64_t k = 0;
    if constexpr (kHasLaneFactors) {
      for (; k + 4 <= p.depth; k += 4, b += 4 * kBlockChannels) {
        V factors[kRows];
        HWY_UNROLL(12)
        for (std::int64_t i = 0; i < kRows; ++i) factors[i] = hn::LoadU(d, at[i] + k);
        HWY_UNROLL(8)
        for (std::int64_t j = 0; j < kPanels; ++j) hwy::Prefetch(b + j * b_next + kAhead * kBlockChannels);
        add_lane<0>(factors, b, b_next, sum);
        add_lane<1>(factors, b + kBlockChannels, b_next, sum);
        add_lane<2>(factors, b + 2 * kBlockChannels, b_next, sum);
        add_lane<3>(factors, b + 3 * kBlockChannels, b_next, sum);
      }
    }
    for (; k < p.depth; ++k) {
      V columns[kColumns];
      HWY_UNROLL(16)
      for (std::int64_t v = 0; v < kColumns; ++v) columns[v] = hn::Load(d, b + v / kVectors * b_next + v % kVectors * kLanes);
      HWY_UNROLL(8)
      for (std::int64_t j = 0; j < kPanels; ++j) hwy::Prefetch(b + j * b_next + kAhead * kBlockChannels);
      HWY_UNROLL(12)
      for (std::int64_t i = 0; i < kRows; ++i) {
        const V factor = hn::Set(d, at[i][k]);
        HWY_UNROLL(16)
        for (std::int64_t v = 0; v < kColumns; ++v) sum[i][v] = hn::MulAdd(factor, columns[v], sum[i][v]);
      }
      b += kBlockChannels;
    }
  }
  HWY_UNROLL(12)
  for (std::int64_t i = 0; i < kRows; ++i) {
    HWY_UNROLL(16)
    for (std::int64_t v = 0; v < kColumns; ++v)
      store_columns(p, position + i, (panel + v / kVectors) * kBlockChannels + v % kVectors * kLanes, sum[i][v]);
  }
}

/// All positions in tiles of kRows. A function of its own for each height: GCC keeps sums in registers in the first of many that
/// are put into one.
template <std::int64_t kRows, std::int64_t kPanels>
HWY_NOINLINE void all_positions(const DenseProduct& p, std::int64_t panel) {
  for (std::int64_t position = 0; position < p.positions; position += kRows)
    tile<kRows, kPanels>(p, HWY_MIN(position, p.positions - kRows), panel);
}

/// In tiles of `height`, which is found by counting down from kRows.
template <std::int64_t kRows, std::int64_t kPanels>
HWY_INLINE void by_height(const DenseProduct& p, std::int64_t height, std::int64_t panel) {
  if constexpr (kRows > 1) {
    if (height < kRows) return by_height<kRows - 1, kPanels>(p, height, panel);
  }
  all_positions<kRows, kPanels>(p, panel);
}

}  // namespace

void dense_product_kernel(const DenseProduct& p) {
  if (p.positions == 0) return;
  std::int64_t panel = p.panels.begin;
  if (p.positions == 1) {
    for (; panel + kWideAlone <= p.panels.end; panel += kWideAlone) all_positions<1, kWideAlone>(p, panel);
  }
  const std::int64_t tiles = (p.positions + kTall - 1) / kTall;
  const std::int64_t height = (p.positions + tiles - 1) / tiles;
  for (; panel + kWide <= p.panels.end; panel += kWide) by_height<kTall, kWide>(p, height, panel);
  for (; panel < p.panels.end; ++panel) by_height<kTall, 1>(p, height, panel);
}

}  // namespace fovea::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace fovea::cpu {

FOVEA_VERSIONS(dense_product_kernel);

DenseProductKernel* dense_product(Target target) { return FOVEA_VERSION(dense_product_kernel, target); }

}  // namespace fovea::cpu
#endif
