// SPDX-License-Identifier: Apache-2.0
//
// A tile of kTall rows and kPanels panels of sums stays in registers over the whole depth: elements of a are broadcast from fixed
// distances, those of b are vectors. The last tile of rows overlaps the one before and leaves out what that has done.
#include "backend/cpu/kernels/block_product.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "backend/cpu/kernels/block_product.cpp"
#include "hwy/foreach_target.h"
// Highway wants its headers after the line above.
#include "backend/cpu/kernels/lanes-inl.h"

HWY_BEFORE_NAMESPACE();
namespace fovea::cpu::HWY_NAMESPACE {
namespace {

/// 24 sums of AVX-512's 32 registers, 20 of NEON's, which hold factors too, 12 of 16.
constexpr std::int64_t kPanels = kLanes == 16 ? 2 : 1;
constexpr std::int64_t kTall = kLanes == 16 ? 12 : (kVectors <= 2 ? 6 : (kVectors == 4 ? (kRegisters == 32 ? 5 : 3) : 1));
/// And of the outer products: with AVX-512 what networks' channels are multiples of.
constexpr std::int64_t kOuterPanels = kLanes == 16 ? 3 : 1;
constexpr std::int64_t kOuterTall = kLanes == 16 ? 8 : (kVectors <= 2 ? 6 : (kRegisters == 32 ? 4 : 2));

/// Rows [from, kRows) of the tile at `row` are given to `end`, vector by vector: end(row, panel, vector, value).
template <std::int64_t kRows, std::int64_t kWide, class End>
HWY_INLINE void tile(const BlockProduct& p, std::int64_t row, std::int64_t from, std::int64_t panel, const End& end) {
  constexpr std::int64_t kColumns = kWide * kVectors;
  const Full d;
  V sum[kRows][kColumns];
  HWY_UNROLL(12)
  for (std::int64_t i = 0; i < kRows; ++i) {
    HWY_UNROLL(16)
    for (std::int64_t v = 0; v < kColumns; ++v) sum[i][v] = hn::Zero(d);
  }
  const float* HWY_RESTRICT b = p.b + panel * p.depth * kBlockChannels;
  const std::int64_t b_next = p.depth * kBlockChannels;
  const float* HWY_RESTRICT a_block = p.a + row * kBlockChannels;
  for (std::int64_t k = 0; k < p.depth; k += kBlockChannels) {
    const std::int64_t here = HWY_MIN(kBlockChannels, p.depth - k);
    std::int64_t kk = 0;
    if constexpr (kHasLaneFactors) {
      for (; kk + 4 <= here; kk += 4, b += 4 * kBlockChannels) {
        V factors[kRows];
        HWY_UNROLL(12)
        for (std::int64_t i = 0; i < kRows; ++i) factors[i] = hn::Load(d, a_block + i * kBlockChannels + kk);
        add_lane<0>(factors, b, b_next, sum);
        add_lane<1>(factors, b + kBlockChannels, b_next, sum);
        add_lane<2>(factors, b + 2 * kBlockChannels, b_next, sum);
        add_lane<3>(factors, b + 3 * kBlockChannels, b_next, sum);
      }
    }
    for (; kk < here; ++kk) {
      V columns[kColumns];
      HWY_UNROLL(16)
      for (std::int64_t v = 0; v < kColumns; ++v) columns[v] = hn::Load(d, b + v / kVectors * b_next + v % kVectors * kLanes);
      HWY_UNROLL(12)
      for (std::int64_t i = 0; i < kRows; ++i) {
        const V factor = hn::Set(d, a_block[i * kBlockChannels + kk]);
        HWY_UNROLL(16)
        for (std::int64_t v = 0; v < kColumns; ++v) sum[i][v] = hn::MulAdd(factor, columns[v], sum[i][v]);
      }
      b += kBlockChannels;
    }
    a_block += p.a_block;
  }
  HWY_UNROLL(12)
  for (std::int64_t i = 0; i < kRows; ++i) {
    if (i < from) continue;
    HWY_UNROLL(16)
    for (std::int64_t v = 0; v < kColumns; ++v) end(row + i, panel + v / kVectors, v % kVectors, sum[i][v]);
  }
}

template <std::int64_t kRows, std::int64_t kWide, class End>
HWY_INLINE void tiles(const BlockProduct& p, std::int64_t panel, const End& end) {
  for (std::int64_t row = 0; row < p.rows; row += kRows) {
    const std::int64_t over = HWY_MAX(row + kRows - p.rows, std::int64_t{0});
    tile<kRows, kWide>(p, row - over, over, panel, end);
  }
}
/// GCC keeps sums in registers in the first of many heights that are put into one function.
template <std::int64_t kRows, std::int64_t kWide, class End>
HWY_NOINLINE void lower_tiles(const BlockProduct& p, std::int64_t panel, const End& end) {
  tiles<kRows, kWide>(p, panel, end);
}

/// In tiles of kTall rows. Of few rows a last tile repeats much: of three heights the one that repeats least.
template <std::int64_t kWide, class End>
HWY_INLINE void panels(const BlockProduct& p, std::int64_t panel, const End& end) {
  constexpr std::int64_t kStep = HWY_MAX(kTall / 6, std::int64_t{kTall == 5}), kLess = HWY_MAX(kTall - kStep, std::int64_t{1}),
                         kLeast = HWY_MAX(kTall - 2 * kStep, std::int64_t{1});
  if (p.rows < kLeast) return lower_tiles<1, kWide>(p, panel, end);
  if (p.rows < 5 * kTall) {
    const auto computed = [&](std::int64_t height) {
      return p.rows < height ? hwy::LimitsMax<std::int64_t>() : (p.rows + height - 1) / height * height;
    };
    const std::int64_t usual = computed(kTall), less = computed(kLess), least = computed(kLeast);
    if (HWY_MIN(less, least) < usual) {
      return less <= least ? lower_tiles<kLess, kWide>(p, panel, end) : lower_tiles<kLeast, kWide>(p, panel, end);
    }
  }
  tiles<kTall, kWide>(p, panel, end);
}

template <class End>
HWY_INLINE void multiply(const BlockProduct& p, const End& end) {
  std::int64_t panel = p.first;
  for (; panel + kPanels <= p.panels; panel += kPanels) panels<kPanels>(p, panel, end);
  for (; panel < p.panels; ++panel) panels<1>(p, panel, end);
}

}  // namespace

void block_expand(const BlockProduct& product, const float* bias, Activation activation, const Scattered& out) {
  const Full d;
  const V low = hn::Set(d, activation == Activation::kNone ? hwy::LowestValue<float>() : 0.0F);
  const V high = hn::Set(d, activation == Activation::kRelu6 ? 6.0F : hwy::HighestValue<float>());
  multiply(product, [&](std::int64_t row, std::int64_t panel, std::int64_t v, V sum) HWY_ATTR {
    const std::int32_t place = out.place[row];
    if (place < 0) return;
    const V shifted = hn::Add(sum, hn::Load(d, bias + panel * kBlockChannels + v * kLanes));
    hn::Store(hn::Min(hn::Max(shifted, low), high), d, out.data + panel * out.block + place + v * kLanes);
  });
}

void block_gradient(const BlockProduct& product, Activation activation, const float* seen, std::int64_t seen_block,
                    const Scattered& out, float* sums) {
  const Full d;
  multiply(product, [&](std::int64_t row, std::int64_t panel, std::int64_t v, V sum) HWY_ATTR {
    const std::int32_t place = out.place[row];
    if (place < 0) return;
    const V output = hn::Load(d, seen + panel * seen_block + row * kBlockChannels + v * kLanes);
    const V gradient = through_slope_by(d, activation, output, sum);
    hn::Store(gradient, d, out.data + panel * out.block + place + v * kLanes);
    float* total = sums + panel * kBlockChannels + v * kLanes;
    hn::Store(hn::Add(hn::Load(d, total), gradient), d, total);
  });
}

void block_gradient_of_norm(const BlockProduct& product, Activation activation, const Normalisation& by, const float* x,
                            std::int64_t channels, const Scattered& out, float* sums, float* products) {
  const Full d;
  multiply(product, [&](std::int64_t row, std::int64_t panel, std::int64_t v, V sum) HWY_ATTR {
    const std::int64_t c = panel * kBlockChannels + v * kLanes;
    const V seen = load_first(x + row * channels + c, HWY_MAX(channels - c, std::int64_t{0}));
    const V centred = hn::Sub(seen, hn::Load(d, by.mean + c));
    const V z = hn::MulAdd(centred, hn::Load(d, by.scale + c), hn::Load(d, by.shift + c));
    const V gradient = through_slope_by(d, activation, z, sum);
    hn::Store(gradient, d, out.data + panel * out.block + out.place[row] + v * kLanes);
    hn::Store(hn::Add(hn::Load(d, sums + c), gradient), d, sums + c);
    hn::Store(hn::MulAdd(gradient, centred, hn::Load(d, products + c)), d, products + c);
  });
}

void block_narrow(const BlockProduct& product, std::int64_t columns, const float* bias, const float* plus, Activation activation,
                  const float* seen, float* out) {
  const Full d;
  multiply(product, [&](std::int64_t row, std::int64_t panel, std::int64_t v, V sum) HWY_ATTR {
    const std::int64_t column = panel * kBlockChannels + v * kLanes;
    if (column >= columns) return;
    const std::int64_t at = row * columns + column;
    const std::int64_t count = HWY_MIN(kLanes, columns - column);
    if (bias != nullptr) sum = hn::Add(sum, hn::Load(d, bias + column));
    if (plus != nullptr) sum = hn::Add(sum, load_first(plus + at, count));
    if (activation != Activation::kNone) sum = through_slope_by(d, activation, load_first(seen + at, count), sum);
    store_first(sum, out + at, count);
  });
}

namespace {

template <std::int64_t kHeight, std::int64_t kWide>
HWY_INLINE void outer_tile(const float* HWY_RESTRICT a, std::int64_t width, std::int64_t rows, const float* HWY_RESTRICT b,
                           std::int64_t b_block, float* HWY_RESTRICT sums) {
  constexpr std::int64_t kColumns = kWide * kVectors;
  const Full d;
  V sum[kHeight][kColumns];
  const auto place = [&](std::int64_t i, std::int64_t v)
                         HWY_ATTR { return sums + (v / kVectors * width + i) * kBlockChannels + v % kVectors * kLanes; };
  HWY_UNROLL(8)
  for (std::int64_t i = 0; i < kHeight; ++i) {
    HWY_UNROLL(16)
    for (std::int64_t v = 0; v < kColumns; ++v) sum[i][v] = hn::Load(d, place(i, v));
  }
  for (std::int64_t r = 0; r < rows; ++r) {
    V columns[kColumns];
    HWY_UNROLL(16)
    for (std::int64_t v = 0; v < kColumns; ++v) columns[v] = hn::Load(d, b + v / kVectors * b_block + v % kVectors * kLanes);
    add_row(d, a, columns, sum);
    a += width;
    b += kBlockChannels;
  }
  HWY_UNROLL(8)
  for (std::int64_t i = 0; i < kHeight; ++i) {
    HWY_UNROLL(16)
    for (std::int64_t v = 0; v < kColumns; ++v) hn::Store(sum[i][v], d, place(i, v));
  }
}

template <std::int64_t kWide>
HWY_INLINE void outer_panels(const float* a, std::int64_t width, std::int64_t rows, const float* b, std::int64_t b_block,
                             float* sums) {
  std::int64_t i = 0;
  for (; i + kOuterTall <= width; i += kOuterTall)
    outer_tile<kOuterTall, kWide>(a + i, width, rows, b, b_block, sums + i * kBlockChannels);
  for (; i + 2 <= width; i += 2) outer_tile<2, kWide>(a + i, width, rows, b, b_block, sums + i * kBlockChannels);
  for (; i < width; ++i) outer_tile<1, kWide>(a + i, width, rows, b, b_block, sums + i * kBlockChannels);
}

}  // namespace

void block_outer(const float* a, std::int64_t width, std::int64_t rows, const float* b, std::int64_t b_block, std::int64_t panels,
                 float* sums) {
  std::int64_t j = 0;
  for (; j + kOuterPanels <= panels; j += kOuterPanels)
    outer_panels<kOuterPanels>(a, width, rows, b + j * b_block, b_block, sums + j * width * kBlockChannels);
  for (; j < panels; ++j) outer_panels<1>(a, width, rows, b + j * b_block, b_block, sums + j * width * kBlockChannels);
}

void block_to_blocks(const float* x, std::int64_t rows, std::int64_t channels, const Scattered& out) {
  const Full d;
  for (std::int64_t row = 0; row < rows; ++row) {
    const std::int32_t place = out.place[row];
    if (place < 0) continue;
    for (std::int64_t i = 0; i < blocks_of(channels) * kBlockChannels; i += kLanes) {
      float* const to = out.data + i / kBlockChannels * out.block + place + i % kBlockChannels;
      hn::Store(load_first(x + row * channels + i, HWY_MAX(channels - i, std::int64_t{0})), d, to);
    }
  }
}

void block_from_blocks(const float* a, std::int64_t a_block, std::int64_t rows, std::int64_t channels, const float* plus,
                       Activation activation, const float* seen, float* out) {
  const Full d;
  for (std::int64_t row = 0; row < rows; ++row) {
    for (std::int64_t i = 0; i < channels; i += kLanes) {
      const std::int64_t at = row * channels + i, count = HWY_MIN(kLanes, channels - i);
      V value = hn::Load(d, a + i / kBlockChannels * a_block + row * kBlockChannels + i % kBlockChannels);
      if (plus != nullptr) value = hn::Add(value, load_first(plus + at, count));
      if (activation != Activation::kNone) value = through_slope_by(d, activation, load_first(seen + at, count), value);
      store_first(value, out + at, count);
    }
  }
}

}  // namespace fovea::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace fovea::cpu {

FOVEA_VERSIONS(block_expand);
FOVEA_VERSIONS(block_gradient);
FOVEA_VERSIONS(block_gradient_of_norm);
FOVEA_VERSIONS(block_narrow);
FOVEA_VERSIONS(block_outer);
FOVEA_VERSIONS(block_to_blocks);
FOVEA_VERSIONS(block_from_blocks);

BlockKernels block_kernels(Target target) {
  return {FOVEA_VERSION(block_expand, target),
          FOVEA_VERSION(block_gradient, target),
          FOVEA_VERSION(block_gradient_of_norm, target),
          FOVEA_VERSION(block_narrow, target),
          FOVEA_VERSION(block_outer, target),
          FOVEA_VERSION(block_to_blocks, target),
          FOVEA_VERSION(block_from_blocks, target)};
}

}  // namespace fovea::cpu
#endif
