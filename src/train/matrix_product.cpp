// SPDX-License-Identifier: Apache-2.0
//
// A strip of kRows rows of the product is made at a time: the strip of `a` is packed, a block of the inner extent after the
// other, and multiplied with panels of `b` in registers. A strip is one thread's work from begin to end, so the bits do not
// depend on how many threads there are.
#include "train/matrix_product.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "train/matrix_product.cpp"
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include <hwy/highway.h>

#include <algorithm>
#include <array>
#include <cassert>

#include "core/parallel.h"
#include "core/vector_versions.h"

#ifndef FOVEA_TRAIN_STRIP
#define FOVEA_TRAIN_STRIP
namespace fovea::training {
inline constexpr std::int64_t kRows = 6;
inline constexpr std::int64_t kInnerBlock = 256;
/// Products of numbers for which waking a thread pays, also where other programs keep it waiting: about 50 us.
inline constexpr std::int64_t kProductGrain = 2 << 20;
/// Packed: element (row, inner) of the strip at [inner * kRows + row].
using Strip = std::array<float, static_cast<std::size_t>(kRows* kInnerBlock)>;
}  // namespace fovea::training
#endif

HWY_BEFORE_NAMESPACE();
namespace fovea::training::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// c[row][0, kVectors lanes) += strip times a panel of b, for kRows rows.
template <int kVectors>
void multiply_panel(const float* HWY_RESTRICT strip, std::int64_t inner, const float* HWY_RESTRICT b, std::int64_t columns,
                    float* HWY_RESTRICT c, std::int64_t rows) {
  const hn::CappedTag<float, kColumnMultiple> d;
  const std::size_t lanes = hn::Lanes(d);
  using V = hn::Vec<decltype(d)>;
  V sums[kRows][kVectors];
  for (auto& row : sums) {
    for (V& sum : row) sum = hn::Zero(d);
  }
  for (std::int64_t i = 0; i < inner; ++i) {
    V panel[kVectors];
    for (int v = 0; v < kVectors; ++v) panel[v] = hn::LoadU(d, b + i * columns + v * lanes);
    for (std::int64_t r = 0; r < kRows; ++r) {
      const V factor = hn::Set(d, strip[i * kRows + r]);
      for (int v = 0; v < kVectors; ++v) sums[r][v] = hn::MulAdd(factor, panel[v], sums[r][v]);
    }
  }
  for (std::int64_t r = 0; r < rows; ++r) {
    for (int v = 0; v < kVectors; ++v) {
      float* target = c + r * columns + v * lanes;
      hn::StoreU(hn::Add(hn::LoadU(d, target), sums[r][v]), d, target);
    }
  }
}

void multiply_strip(const float* strip, std::int64_t inner, const float* b, std::int64_t columns, float* c, std::int64_t rows) {
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(hn::CappedTag<float, kColumnMultiple>()));
  std::int64_t column = 0;
  for (; column + 2 * lanes <= columns; column += 2 * lanes) {
    multiply_panel<2>(strip, inner, b + column, columns, c + column, rows);
  }
  for (; column < columns; column += lanes) multiply_panel<1>(strip, inner, b + column, columns, c + column, rows);
}

}  // namespace fovea::training::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace fovea::training {
namespace {

FOVEA_VERSIONS(multiply_strip);

/// Where element (row, inner) of the left factor lies.
struct LeftFactor {
  const float* data;
  std::int64_t row_stride;
  std::int64_t inner_stride;
};

void pack(const LeftFactor& a, std::int64_t row, std::int64_t rows, Range inner, Strip& strip) {
  for (std::int64_t i = 0; i < inner.size(); ++i) {
    const float* source = a.data + row * a.row_stride + (inner.begin + i) * a.inner_stride;
    float* target = strip.data() + i * kRows;
    for (std::int64_t r = 0; r < rows; ++r) target[r] = source[r * a.row_stride];
    for (std::int64_t r = rows; r < kRows; ++r) target[r] = 0;
  }
}

void multiply_left(const Context& context, const ProductShape& shape, const LeftFactor& a, const float* b, float* c) {
  assert(shape.columns % kColumnMultiple == 0);
  const auto kernel = FOVEA_VERSION(multiply_strip, VectorTarget::best());
  const std::int64_t strips = (shape.rows + kRows - 1) / kRows;
  parallel_ranges(context, strips, kProductGrain / (kRows * shape.columns * shape.inner), [&](Range range) {
    Strip strip;
    for (std::int64_t s = range.begin; s < range.end; ++s) {
      const std::int64_t row = s * kRows;
      const std::int64_t rows = std::min(kRows, shape.rows - row);
      float* target = c + row * shape.columns;
      std::fill_n(target, rows * shape.columns, 0.0F);
      for (std::int64_t inner = 0; inner < shape.inner; inner += kInnerBlock) {
        const Range block{inner, std::min(inner + kInnerBlock, shape.inner)};
        pack(a, row, rows, block, strip);
        kernel(strip.data(), block.size(), b + inner * shape.columns, shape.columns, target, rows);
      }
    }
  });
}

}  // namespace

void multiply(const Context& context, const ProductShape& shape, std::span<const float> a, std::span<const float> b,
              std::span<float> c) {
  multiply_left(context, shape, {a.data(), shape.inner, 1}, b.data(), c.data());
}

void multiply_transposed(const Context& context, const ProductShape& shape, std::span<const float> a, std::span<const float> b,
                         std::span<float> c) {
  multiply_left(context, shape, {a.data(), 1, shape.rows}, b.data(), c.data());
}

}  // namespace fovea::training
#endif  // HWY_ONCE
