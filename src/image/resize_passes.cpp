// SPDX-License-Identifier: Apache-2.0
#include "image/resize_passes.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "image/resize_passes.cpp"
#include "hwy/foreach_target.h"
// Highway wants its own header after the line above.
#include "core/vector_versions.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace fovea::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

constexpr std::int32_t kHalf = 1 << (kWeightBits - 1);

HWY_INLINE std::uint8_t to_byte(std::int32_t sum) {
  const std::int32_t value = sum >> kWeightBits;
  return static_cast<std::uint8_t>(value < 0 ? 0 : value > 255 ? 255 : value);
}

#if HWY_TARGET == HWY_SCALAR

constexpr int kRowsAtOnce = 1;

HWY_INLINE void resample_pixel(const std::uint8_t* const* rows, const std::int16_t* weights, int groups,
                               std::uint8_t* const* out) {
  for (int channel = 0; channel < 3; ++channel) {
    std::int32_t sum = kHalf;
    for (int tap = 0; tap < groups * PackedWeights::kTaps; ++tap) {
      const std::int16_t* group = weights + tap / PackedWeights::kTaps * PackedWeights::kNumbers + tap % PackedWeights::kTaps;
      sum += rows[0][tap * 3 + channel] * (group[PackedWeights::kTaps] * (1 << 15) + group[0]);
    }
    out[0][channel] = to_byte(sum);
  }
}

#else

// One row of the picture in each block of 16 bytes: the rows share their weights.
constexpr int kRowsAtOnce = HWY_HAVE_SCALABLE ? 1 : HWY_MAX_BYTES / 16;
using D8 = hn::FixedTag<std::uint8_t, 16 * kRowsAtOnce>;
using D16 = hn::FixedTag<std::int16_t, 8 * kRowsAtOnce>;
using D32 = hn::FixedTag<std::int32_t, 4 * kRowsAtOnce>;

template <int kRows>
HWY_INLINE auto load_blocks(const std::uint8_t* const* rows, std::size_t at) {
  const hn::FixedTag<std::uint8_t, 16 * kRows> d;
  if constexpr (kRows == 1) {
    return hn::LoadU(d, rows[0] + at);
  } else {
    return hn::Combine(d, load_blocks<kRows / 2>(rows + kRows / 2, at), load_blocks<kRows / 2>(rows, at));
  }
}

// The same pixel of kRowsAtOnce rows. Reads 16 bytes for each group of four pixels.
HWY_INLINE void resample_pixel(const std::uint8_t* const* rows, const std::int16_t* weights, int groups,
                               std::uint8_t* const* out) {
  // RGBRGB to R R G G B B, as 16-bit numbers.
  constexpr std::uint8_t kNone = 0x80;
  HWY_ALIGN static constexpr std::uint8_t kFirstPair[16] = {0, kNone, 3, kNone, 1,     kNone, 4,     kNone,
                                                            2, kNone, 5, kNone, kNone, kNone, kNone, kNone};
  HWY_ALIGN static constexpr std::uint8_t kSecondPair[16] = {6, kNone, 9,  kNone, 7,     kNone, 10,    kNone,
                                                             8, kNone, 11, kNone, kNone, kNone, kNone, kNone};
  const D8 d8;
  const D16 d16;
  const D32 d32;
  const auto first = hn::LoadDup128(d8, kFirstPair);
  const auto second = hn::LoadDup128(d8, kSecondPair);
  auto low0 = hn::Zero(d32);
  auto low1 = hn::Zero(d32);
  auto high0 = hn::Zero(d32);
  auto high1 = hn::Zero(d32);
  for (int group = 0; group < groups; ++group, weights += PackedWeights::kNumbers) {
    std::int32_t pairs[4];
    hwy::CopyBytes<sizeof pairs>(weights, pairs);
    const auto pixels = load_blocks<kRowsAtOnce>(rows, static_cast<std::size_t>(group) * PackedWeights::kTaps * 3);
    const auto pixels01 = hn::BitCast(d16, hn::TableLookupBytesOr0(pixels, first));
    const auto pixels23 = hn::BitCast(d16, hn::TableLookupBytesOr0(pixels, second));
    low0 = hn::ReorderWidenMulAccumulate(d32, pixels01, hn::BitCast(d16, hn::Set(d32, pairs[0])), low0, low1);
    low0 = hn::ReorderWidenMulAccumulate(d32, pixels23, hn::BitCast(d16, hn::Set(d32, pairs[1])), low0, low1);
    high0 = hn::ReorderWidenMulAccumulate(d32, pixels01, hn::BitCast(d16, hn::Set(d32, pairs[2])), high0, high1);
    high0 = hn::ReorderWidenMulAccumulate(d32, pixels23, hn::BitCast(d16, hn::Set(d32, pairs[3])), high0, high1);
  }
  const auto low = hn::RearrangeToOddPlusEven(low0, low1);
  const auto high = hn::ShiftLeft<15>(hn::RearrangeToOddPlusEven(high0, high1));
  const auto sum = hn::ShiftRight<kWeightBits>(hn::Add(hn::Add(low, high), hn::Set(d32, kHalf)));
  HWY_ALIGN std::uint8_t bytes[4 * kRowsAtOnce];
  hn::Store(hn::DemoteTo(hn::FixedTag<std::uint8_t, 4 * kRowsAtOnce>(), sum), hn::FixedTag<std::uint8_t, 4 * kRowsAtOnce>(),
            bytes);
  for (int row = 0; row < kRowsAtOnce; ++row) hwy::CopyBytes<3>(bytes + 4 * row, out[row]);
}

#endif

// kVectors vectors of neighbouring samples; kept in registers over all rows.
template <int kVectors>
HWY_INLINE void blend_some(const std::uint8_t* source, std::size_t stride, const std::int32_t* weights, int taps,
                           std::uint8_t* out) {
  const hn::ScalableTag<std::int32_t> d32;
  const hn::Rebind<std::uint8_t, decltype(d32)> d8;
  constexpr std::size_t kLanes = HWY_LANES(std::int32_t);
  static_assert(kVectors == 1 || kVectors == 4);
  auto sum0 = hn::Set(d32, kHalf);
  auto sum1 = sum0;
  auto sum2 = sum0;
  auto sum3 = sum0;
  for (int tap = 0; tap < taps; ++tap, source += stride) {
    const auto weight = hn::Set(d32, weights[tap]);
    const auto product = [&](std::size_t at) HWY_ATTR { return hn::Mul(hn::PromoteTo(d32, hn::LoadU(d8, source + at)), weight); };
    sum0 = hn::Add(sum0, product(0));
    if constexpr (kVectors == 4) {
      sum1 = hn::Add(sum1, product(kLanes));
      sum2 = hn::Add(sum2, product(2 * kLanes));
      sum3 = hn::Add(sum3, product(3 * kLanes));
    }
  }
  hn::StoreU(hn::DemoteTo(d8, hn::ShiftRight<kWeightBits>(sum0)), d8, out);
  if constexpr (kVectors == 4) {
    hn::StoreU(hn::DemoteTo(d8, hn::ShiftRight<kWeightBits>(sum1)), d8, out + kLanes);
    hn::StoreU(hn::DemoteTo(d8, hn::ShiftRight<kWeightBits>(sum2)), d8, out + 2 * kLanes);
    hn::StoreU(hn::DemoteTo(d8, hn::ShiftRight<kWeightBits>(sum3)), d8, out + 3 * kLanes);
  }
}

}  // namespace

/// Outputs [begin, end), for up to kRowsAtOnce rows at a time; `sources` start `origin` pixels into their rows.
void resample_kernel(const std::uint8_t* source, std::size_t stride, int rows, int origin, const ResampleWeights::Span* spans,
                     const std::int16_t* weights, int groups_stride, int begin, int end, std::uint8_t* out,
                     std::size_t out_stride) {
  for (int top = 0; top < rows; top += kRowsAtOnce) {
    for (int x = begin; x < end; ++x) {
      const std::uint8_t* in_rows[kRowsAtOnce];
      std::uint8_t* out_rows[kRowsAtOnce];
      for (int i = 0; i < kRowsAtOnce; ++i) {
        const std::size_t row =
            static_cast<std::size_t>(top + i < rows ? top + i : rows - 1);  // the last one again where there are too few
        in_rows[i] = source + row * stride + static_cast<std::size_t>(spans[x].first - origin) * 3;
        out_rows[i] = out + row * out_stride + static_cast<std::size_t>(x) * 3;
      }
      const int groups = (spans[x].count + PackedWeights::kTaps - 1) / PackedWeights::kTaps;
      resample_pixel(in_rows,
                     weights + static_cast<std::size_t>(x) * static_cast<std::size_t>(groups_stride) * PackedWeights::kNumbers,
                     groups, out_rows);
    }
  }
}

void blend_kernel(const std::uint8_t* source, std::size_t stride, const std::int32_t* weights, int taps, std::size_t samples,
                  std::uint8_t* out) {
  constexpr std::size_t kLanes = HWY_LANES(std::int32_t);
  std::size_t at = 0;
  for (; at + 4 * kLanes <= samples; at += 4 * kLanes) blend_some<4>(source + at, stride, weights, taps, out + at);
  for (; at + kLanes <= samples; at += kLanes) blend_some<1>(source + at, stride, weights, taps, out + at);
  if (at < samples && samples >= kLanes) {
    blend_some<1>(source + samples - kLanes, stride, weights, taps, out + samples - kLanes);
    return;
  }
  for (; at < samples; ++at) {
    std::int32_t sum = kHalf;
    for (int tap = 0; tap < taps; ++tap) sum += source[static_cast<std::size_t>(tap) * stride + at] * weights[tap];
    out[at] = to_byte(sum);
  }
}

void interleave_kernel(const std::uint8_t* first, const std::uint8_t* second, const std::uint8_t* third, std::size_t pairs,
                       std::uint8_t* out) {
  std::size_t pair = 0;
#if HWY_TARGET != HWY_SCALAR
  const hn::ScalableTag<std::uint16_t> d16;
  const hn::Repartition<std::uint8_t, decltype(d16)> d8;
  const hn::Rebind<std::uint8_t, decltype(d16)> d_half;
  const auto twice = [&](const std::uint8_t* from) HWY_ATTR {
    const auto wide = hn::PromoteTo(d16, hn::LoadU(d_half, from));
    return hn::BitCast(d8, hn::Or(wide, hn::ShiftLeft<8>(wide)));
  };
  for (const std::size_t lanes = hn::Lanes(d16); pair + lanes <= pairs; pair += lanes) {
    hn::StoreInterleaved3(hn::LoadU(d8, first + 2 * pair), twice(second + pair), twice(third + pair), d8, out + 6 * pair);
  }
#endif
  for (; pair < pairs; ++pair) {
    for (std::size_t x = 2 * pair; x < 2 * pair + 2; ++x) {
      out[3 * x] = first[x];
      out[3 * x + 1] = second[pair];
      out[3 * x + 2] = third[pair];
    }
  }
}

}  // namespace fovea::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE

#include <algorithm>
#include <cstring>

namespace fovea {

FOVEA_VERSIONS(resample_kernel);
FOVEA_VERSIONS(blend_kernel);
FOVEA_VERSIONS(interleave_kernel);

PackedWeights::PackedWeights(const ResampleWeights& weights)
    : stride((weights.stride + kTaps - 1) / kTaps), spans(weights.spans) {
  values.resize(spans.size() * static_cast<std::size_t>(stride) * kNumbers);
  for (std::size_t output = 0; output < spans.size(); ++output) {
    const std::int32_t* from = weights.of(static_cast<int>(output));
    std::int16_t* to = values.data() + output * static_cast<std::size_t>(stride) * kNumbers;
    for (int tap = 0; tap < weights.stride; ++tap) {
      std::int16_t* number = to + tap / kTaps * kNumbers + tap % kTaps;
      number[0] = static_cast<std::int16_t>(from[tap] & 0x7FFF);
      number[kTaps] = static_cast<std::int16_t>(from[tap] >> 15);
    }
  }
}

void resample_rows(const std::uint8_t* source, std::size_t stride, int width, int rows, const PackedWeights& weights,
                   std::uint8_t* out, const VectorTarget& target) {
  // The kernel reads whole groups of taps and four bytes more. Outputs for which that would pass the end of a row are made
  // from a padded copy of the ends of the rows.
  const auto fits = [&](const ResampleWeights::Span& span) {
    const int taps = (span.count + PackedWeights::kTaps - 1) / PackedWeights::kTaps * PackedWeights::kTaps;
    return (span.first + taps) * 3 + 4 <= width * 3;
  };
  const auto outputs = static_cast<int>(weights.spans.size());
  const auto safe = static_cast<int>(std::ranges::find_if_not(weights.spans, fits) - weights.spans.begin());
  const std::size_t out_stride = weights.spans.size() * 3;
  const auto kernel = FOVEA_VERSION(resample_kernel, target);
  kernel(source, stride, rows, 0, weights.spans.data(), weights.values.data(), weights.stride, 0, safe, out, out_stride);
  if (safe == outputs) return;
  const int origin = weights.spans[static_cast<std::size_t>(safe)].first;
  const std::size_t bytes = static_cast<std::size_t>(width - origin) * 3;
  const std::size_t padded = bytes + PackedWeights::kTaps * 3 + 4;
  std::vector<std::uint8_t> ends(padded * static_cast<std::size_t>(rows));
  for (int y = 0; y < rows; ++y) {
    std::memcpy(ends.data() + static_cast<std::size_t>(y) * padded,
                source + static_cast<std::size_t>(y) * stride + static_cast<std::size_t>(origin) * 3, bytes);
  }
  kernel(ends.data(), padded, rows, origin, weights.spans.data(), weights.values.data(), weights.stride, safe, outputs, out,
         out_stride);
}

void blend_rows(const std::uint8_t* source, std::size_t stride, const std::int32_t* weights, int taps, std::size_t samples,
                std::uint8_t* out, const VectorTarget& target) {
  FOVEA_VERSION(blend_kernel, target)(source, stride, weights, taps, samples, out);
}

void interleave_pairs(const std::uint8_t* first, const std::uint8_t* second, const std::uint8_t* third, std::size_t pairs,
                      std::uint8_t* out, const VectorTarget& target) {
  FOVEA_VERSION(interleave_kernel, target)(first, second, third, pairs, out);
}

}  // namespace fovea
#endif
