// SPDX-License-Identifier: Apache-2.0
#include "image/yuv.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <utility>
#include <vector>

#include "image/resample_weights.h"
#include "image/resize_passes.h"

namespace fovea {
namespace {

/// Shares of red and blue in luma; green has the rest.
std::pair<double, double> red_and_blue(YuvMatrix matrix) {
  switch (matrix) {
    case YuvMatrix::kBt601: return {0.299, 0.114};
    case YuvMatrix::kBt2020: return {0.2627, 0.0593};
    case YuvMatrix::kBt709: break;
  }
  return {0.2126, 0.0722};
}

struct Scales {
  double luma, difference, black;
};
Scales scales_of(bool full_range) { return full_range ? Scales{1, 1, 0} : Scales{219.0 / 255, 224.0 / 255, 16}; }

/// Each difference of colour stands for two rows: the weights of both.
ResampleWeights halved(const ResampleWeights& rows) {
  ResampleWeights half;
  half.stride = rows.stride / 2 + 1;
  half.spans.resize(rows.spans.size());
  half.values.resize(rows.spans.size() * static_cast<std::size_t>(half.stride));
  for (std::size_t i = 0; i < rows.spans.size(); ++i) {
    const auto [first, count] = rows.spans[i];
    half.spans[i] = {first / 2, (first + count - 1) / 2 - first / 2 + 1};
    std::int32_t* values = half.values.data() + i * static_cast<std::size_t>(half.stride);
    for (int tap = 0; tap < count; ++tap) values[(first + tap) / 2 - first / 2] += rows.of(static_cast<int>(i))[tap];
  }
  return half;
}

/// All rows that the window needs, summed to the window's rows: Y, U, V a pixel, of `pairs` pairs of columns from pair `first`
/// on. A pair that hangs over an odd edge repeats nothing of use there.
Image rows_of(const YuvFrame& frame, const ResampleWeights& rows, int first, int pairs) {
  const ResampleWeights half_rows = halved(rows);
  const auto count = static_cast<std::size_t>(pairs);
  const auto luma_count = static_cast<std::size_t>(std::min(2 * pairs, frame.width - 2 * first));
  std::vector<std::uint8_t> luma(2 * count);
  std::vector<std::uint8_t> u(count);
  std::vector<std::uint8_t> v(count);
  const auto sum = [&](std::size_t plane, const ResampleWeights& weights, int y, int from, std::size_t samples,
                       std::vector<std::uint8_t>& to) {
    const auto [row, taps] = weights.spans[static_cast<std::size_t>(y)];
    blend_rows(frame.row(plane, row) + from, static_cast<std::size_t>(frame.strides[plane]), weights.of(y), taps, samples,
               to.data());
  };
  Image out(2 * pairs, static_cast<int>(rows.spans.size()));
  for (int y = 0; y < out.height; ++y) {
    sum(0, rows, y, 2 * first, luma_count, luma);
    sum(1, half_rows, y, first, count, u);
    sum(2, half_rows, y, first, count, v);
    interleave_pairs(luma.data(), u.data(), v.data(), count, out.row(y));
  }
  return out;
}

/// Y, U, V a pixel become R, G, B; the inverse of rgb_to_yuv.
void to_rgb(Image& picture, YuvMatrix matrix, bool full_range) {
  constexpr int kBits = 14;  // |weights| < 3 and 8 bits of a sample: sums stay far below 31 bits
  const auto fixed = [](double value) { return static_cast<int>(std::lround(value * (1 << kBits))); };
  const auto [red, blue] = red_and_blue(matrix);
  const double green = 1 - red - blue;
  const Scales scales = scales_of(full_range);
  const int y_weight = fixed(1 / scales.luma);
  const int u_blue = fixed(2 * (1 - blue) / scales.difference);
  const int v_red = fixed(2 * (1 - red) / scales.difference);
  const int u_green = fixed(2 * blue * (1 - blue) / green / scales.difference);
  const int v_green = fixed(2 * red * (1 - red) / green / scales.difference);
  const int black = static_cast<int>(scales.black);
  const auto byte = [](int sum) { return static_cast<std::uint8_t>(std::clamp((sum + (1 << (kBits - 1))) >> kBits, 0, 255)); };
  for (std::size_t i = 0; i + 2 < picture.pixels.size(); i += 3) {
    std::uint8_t* pixel = picture.pixels.data() + i;
    const int y = y_weight * (pixel[0] - black);
    const int u = pixel[1] - 128;
    const int v = pixel[2] - 128;
    pixel[0] = byte(y + v_red * v);
    pixel[1] = byte(y - u_green * u - v_green * v);
    pixel[2] = byte(y + u_blue * u);
  }
}

}  // namespace

std::array<YuvRow, 3> rgb_to_yuv(YuvMatrix matrix, bool full_range) {
  const auto [red, blue] = red_and_blue(matrix);
  const double green = 1 - red - blue;
  const Scales s = scales_of(full_range);
  const double u = s.difference / 2 / (1 - blue);
  const double v = s.difference / 2 / (1 - red);
  return {{{s.luma * red, s.luma * green, s.luma * blue, s.black},
           {-u * red, -u * green, u * (1 - blue), 128},
           {v * (1 - red), -v * green, -v * blue, 128}}};
}

Image resize(const YuvFrame& frame, int width, int height, Filter filter, const Window& window) {
  assert(width > 0 && height > 0 && frame.width > 0 && frame.height > 0);
  assert(window.left >= 0 && window.top >= 0 && window.left + window.width <= width && window.top + window.height <= height);
  if (window.width <= 0 || window.height <= 0) return Image(window.width, window.height);
  ResampleWeights columns = resample_weights(frame.width, 0, frame.width, width, filter, window.left, window.width);
  const ResampleWeights rows = resample_weights(frame.height, 0, frame.height, height, filter, window.top, window.height);
  const auto [first, count] = localize(columns);
  const int pairs = (first + count - 1) / 2 - first / 2 + 1;
  const Image summed = rows_of(frame, rows, first / 2, pairs);
  Image out(window.width, window.height);
  resample_rows(summed.row(0) + 3 * (first % 2), static_cast<std::size_t>(summed.width) * 3, count, window.height,
                PackedWeights(columns), out.pixels.data());
  to_rgb(out, frame.matrix, frame.full_range);
  return out;
}

}  // namespace fovea
