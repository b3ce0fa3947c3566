// SPDX-License-Identifier: Apache-2.0
//
// Rows lie one after the other in memory, so they are read in their order, a few at a time for what belongs to a channel.
#include "backend/cpu/kernels/block_norm.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "backend/cpu/kernels/block_norm.cpp"
#include "hwy/foreach_target.h"
// Highway wants its headers after the line above.
#include "backend/cpu/kernels/lanes-inl.h"

HWY_BEFORE_NAMESPACE();
namespace fovea::cpu::HWY_NAMESPACE {
namespace {

constexpr std::int64_t kTogether = 4;
using Wide = hn::ScalableTag<double>;
constexpr auto kWide = static_cast<std::int64_t>(HWY_LANES(double));

/// Calls body(first row, first channel, channels up to the last, Together<rows>) for groups of rows and lanes.
template <class Body>
HWY_INLINE void for_groups(std::int64_t rows, std::int64_t channels, const Body& body) {
  std::int64_t row = 0;
  for (; row + kTogether <= rows; row += kTogether) {
    for (std::int64_t c = 0; c < blocks_of(channels) * kBlockChannels; c += kLanes)
      body(row, c, HWY_MAX(channels - c, std::int64_t{0}), Together<kTogether>());
  }
  for (; row < rows; ++row) {
    for (std::int64_t c = 0; c < blocks_of(channels) * kBlockChannels; c += kLanes)
      body(row, c, HWY_MAX(channels - c, std::int64_t{0}), Together<1>());
  }
}

HWY_INLINE float* place_of(const Scattered& out, std::int64_t row, std::int64_t c) {
  return out.data + c / kBlockChannels * out.block + out.place[row] + c % kBlockChannels;
}

template <Activation kActivation>
HWY_INLINE void normalise_to_blocks(const Normalisation& by, const float* x, std::int64_t rows, std::int64_t channels,
                                    const Scattered& out) {
  const Full d;
  for_groups(rows, channels, [&](std::int64_t row, std::int64_t c, std::int64_t count, auto together) HWY_ATTR {
    const V mean = hn::Load(d, by.mean + c), scale = hn::Load(d, by.scale + c), shift = hn::Load(d, by.shift + c);
    HWY_UNROLL(kTogether)
    for (std::int64_t i = 0; i < decltype(together)::kCount; ++i) {
      const V centred = hn::Sub(load_first(x + (row + i) * channels + c, count), mean);
      hn::Store(activate<kActivation>(d, hn::MulAdd(centred, scale, shift)), d, place_of(out, row + i, c));
    }
  });
}

}  // namespace

void block_centre(const float* x, std::int64_t rows, std::int64_t channels, const float* pivot, float* out) {
  for (std::int64_t row = 0; row < rows; ++row) {
    for_lanes(channels, [&](auto d, std::int64_t c) HWY_ATTR {
      const std::int64_t at = row * channels + c;
      hn::StoreU(hn::Sub(hn::LoadU(d, x + at), hn::LoadU(d, pivot + c)), d, out + at);
    });
  }
}

void block_moments_from_blocks(const float* a, std::int64_t a_block, std::int64_t rows, std::int64_t channels, const float* pivot,
                               float* out, float* sum, float* squares) {
  const Full d;
  for_groups(rows, channels, [&](std::int64_t row, std::int64_t c, std::int64_t count, auto together) HWY_ATTR {
    const V origin = hn::Load(d, pivot + c);
    V total = hn::Zero(d), square = hn::Zero(d);
    const float* from = a + c / kBlockChannels * a_block + row * kBlockChannels + c % kBlockChannels;
    HWY_UNROLL(kTogether)
    for (std::int64_t i = 0; i < decltype(together)::kCount; ++i) {
      const V value = hn::Load(d, from + i * kBlockChannels);
      const V centred = hn::Sub(value, origin);
      total = hn::Add(total, centred);
      square = hn::MulAdd(centred, centred, square);
      if (count > 0) store_first(value, out + (row + i) * channels + c, count);
    }
    hn::Store(hn::Add(hn::Load(d, sum + c), total), d, sum + c);
    hn::Store(hn::Add(hn::Load(d, squares + c), square), d, squares + c);
  });
}

void block_normalise_to_blocks(Activation activation, const Normalisation& by, const float* x, std::int64_t rows,
                               std::int64_t channels, const Scattered& out) {
  switch (activation) {
    case Activation::kRelu: return normalise_to_blocks<Activation::kRelu>(by, x, rows, channels, out);
    case Activation::kRelu6: return normalise_to_blocks<Activation::kRelu6>(by, x, rows, channels, out);
    case Activation::kNone:
    case Activation::kSilu: return normalise_to_blocks<Activation::kNone>(by, x, rows, channels, out);
  }
}

void block_backward_to_blocks(const Normalisation& by, const float* sum, const float* product, const float* x, const float* g,
                              std::int64_t rows, std::int64_t channels, const Scattered& out) {
  const Full d;
  for_groups(rows, channels, [&](std::int64_t row, std::int64_t c, std::int64_t count, auto together) HWY_ATTR {
    const V mean = hn::Load(d, by.mean + c), scale = hn::Load(d, by.scale + c);
    const float* from = g + (c / kBlockChannels * rows + row) * kBlockChannels + c % kBlockChannels;
    const V sums = hn::Load(d, sum + c), products = hn::Load(d, product + c);
    HWY_UNROLL(kTogether)
    for (std::int64_t i = 0; i < decltype(together)::kCount; ++i) {
      const V centred = hn::Sub(load_first(x + (row + i) * channels + c, count), mean);
      const V gradient = hn::Load(d, from + i * kBlockChannels);
      hn::Store(hn::Mul(scale, hn::NegMulAdd(centred, products, hn::Sub(gradient, sums))), d, place_of(out, row + i, c));
    }
  });
}

void block_grow(const float* more, std::int64_t count, double* total) {
  const auto add = [&](auto d, std::int64_t i) HWY_ATTR {
    const hn::Rebind<float, decltype(d)> narrow;
    hn::StoreU(hn::Add(hn::LoadU(d, total + i), hn::PromoteTo(d, hn::LoadU(narrow, more + i))), d, total + i);
  };
  std::int64_t i = 0;
  for (; i + kWide <= count; i += kWide) add(Wide(), i);
  for (; i < count; ++i) add(hn::CappedTag<double, 1>(), i);
}

namespace {

/// Rows of weights that share what is loaded of the covariance.
constexpr std::int64_t kWeightRows = 4;

template <std::int64_t kCount>
HWY_INLINE void variances(const float* w, std::int64_t channels, const double* covariance, float* t, float* var) {
  for (std::int64_t i = 0; i < kCount; ++i) var[i] = 0.0F;
  double totals[kCount] = {};
  const auto columns = [&](auto d, std::int64_t c) HWY_ATTR {
    hn::Vec<decltype(d)> sum[kCount];
    HWY_UNROLL(kWeightRows)
    for (std::int64_t i = 0; i < kCount; ++i) sum[i] = hn::Zero(d);
    for (std::int64_t k = 0; k < channels; ++k) {
      const auto row = hn::LoadU(d, covariance + k * channels + c);
      HWY_UNROLL(kWeightRows)
      for (std::int64_t i = 0; i < kCount; ++i)
        sum[i] = hn::MulAdd(hn::Set(d, static_cast<double>(w[i * channels + k])), row, sum[i]);
    }
    const hn::Rebind<float, decltype(d)> narrow;
    HWY_UNROLL(kWeightRows)
    for (std::int64_t i = 0; i < kCount; ++i) {
      const std::int64_t at = i * channels + c;
      hn::StoreU(hn::DemoteTo(narrow, sum[i]), narrow, t + at);
      totals[i] += hn::GetLane(hn::SumOfLanes(d, hn::Mul(sum[i], hn::PromoteTo(d, hn::LoadU(narrow, w + at)))));
    }
  };
  std::int64_t c = 0;
  for (; c + kWide <= channels; c += kWide) columns(Wide(), c);
  for (; c < channels; ++c) columns(hn::CappedTag<double, 1>(), c);
  for (std::int64_t i = 0; i < kCount; ++i) var[i] = static_cast<float>(HWY_MAX(totals[i], 0.0));
}

}  // namespace

void block_product_variances(const float* w, std::int64_t count, std::int64_t channels, const double* covariance, float* t,
                             float* var) {
  std::int64_t i = 0;
  for (; i + kWeightRows <= count; i += kWeightRows)
    variances<kWeightRows>(w + i * channels, channels, covariance, t + i * channels, var + i);
  for (; i < count; ++i) variances<1>(w + i * channels, channels, covariance, t + i * channels, var + i);
}

}  // namespace fovea::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace fovea::cpu {

FOVEA_VERSIONS(block_centre);
FOVEA_VERSIONS(block_moments_from_blocks);
FOVEA_VERSIONS(block_normalise_to_blocks);
FOVEA_VERSIONS(block_backward_to_blocks);
FOVEA_VERSIONS(block_grow);
FOVEA_VERSIONS(block_product_variances);

BlockNormKernels block_norm_kernels(Target target) {
  return {FOVEA_VERSION(block_centre, target), FOVEA_VERSION(block_moments_from_blocks, target),
          FOVEA_VERSION(block_normalise_to_blocks, target), FOVEA_VERSION(block_backward_to_blocks, target),
          FOVEA_VERSION(block_grow, target)};
}
ProductVariances* product_variances(Target target) { return FOVEA_VERSION(block_product_variances, target); }

}  // namespace fovea::cpu
#endif
