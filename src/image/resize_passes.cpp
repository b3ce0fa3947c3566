// SPDX-License-Identifier: Apache-2.0
#include "image/resize_passes.h"

#include <algorithm>
#include <array>

namespace fovea {
namespace {

constexpr std::int32_t kHalf = 1 << (kWeightBits - 1);

std::uint8_t to_byte(std::int32_t sum) { return static_cast<std::uint8_t>(std::clamp(sum >> kWeightBits, 0, 255)); }

}  // namespace

void resample_row(const std::uint8_t* source, int /*width*/, const ResampleWeights& weights, std::uint8_t* out) {
  for (std::size_t x = 0; x < weights.spans.size(); ++x) {
    const auto [first, count] = weights.spans[x];
    const std::int32_t* weight = weights.of(static_cast<int>(x));
    const std::uint8_t* pixel = source + static_cast<std::size_t>(first) * 3;
    std::int32_t red = kHalf;
    std::int32_t green = kHalf;
    std::int32_t blue = kHalf;
    for (int tap = 0; tap < count; ++tap, pixel += 3) {
      red += pixel[0] * weight[tap];
      green += pixel[1] * weight[tap];
      blue += pixel[2] * weight[tap];
    }
    out[x * 3] = to_byte(red);
    out[x * 3 + 1] = to_byte(green);
    out[x * 3 + 2] = to_byte(blue);
  }
}

void blend_rows(const std::uint8_t* source, std::size_t stride, const std::int32_t* weights, int taps, std::size_t samples,
                std::uint8_t* out) {
  constexpr std::size_t kBlock = 512;  // sums stay in the first-level cache
  std::array<std::int32_t, kBlock> sums;
  for (std::size_t begin = 0; begin < samples; begin += kBlock) {
    const std::size_t count = std::min(kBlock, samples - begin);
    sums.fill(kHalf);
    for (int tap = 0; tap < taps; ++tap) {
      const std::uint8_t* row = source + static_cast<std::size_t>(tap) * stride + begin;
      for (std::size_t i = 0; i < count; ++i) sums[i] += row[i] * weights[tap];
    }
    for (std::size_t i = 0; i < count; ++i) out[begin + i] = to_byte(sums[i]);
  }
}

}  // namespace fovea
