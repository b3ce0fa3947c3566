// SPDX-License-Identifier: Apache-2.0
#include "data/colour.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>

namespace fovea {
namespace {

using Table = std::array<std::uint8_t, 256>;
using Histogram = std::array<std::int64_t, 256>;

std::uint8_t blend(float degenerate, float level, float factor) {
  return static_cast<std::uint8_t>(std::clamp(degenerate + factor * (level - degenerate), 0.0F, 255.0F));
}

template <class Function>
Table table_of(const Function& function) {
  Table table{};
  for (int level = 0; level < 256; ++level) table[static_cast<std::size_t>(level)] = function(level);
  return table;
}

void apply(Image& image, const Table& table) {
  for (std::uint8_t& level : image.pixels) level = table[level];
}

Histogram histogram_of(const Image& image, std::size_t channel) {
  Histogram histogram{};
  for (std::size_t i = channel; i < image.pixels.size(); i += 3) ++histogram[image.pixels[i]];
  return histogram;
}

// `make` gives the table of a channel from its histogram.
template <class Make>
void apply_per_channel(Image& image, const Make& make) {
  for (std::size_t channel = 0; channel < 3; ++channel) {
    const Table table = make(histogram_of(image, channel));
    for (std::size_t i = channel; i < image.pixels.size(); i += 3) image.pixels[i] = table[image.pixels[i]];
  }
}

Table stretched(const Histogram& histogram) {
  int low = 0;
  int high = 255;
  while (low < 255 && histogram[static_cast<std::size_t>(low)] == 0) ++low;
  while (high > 0 && histogram[static_cast<std::size_t>(high)] == 0) --high;
  if (high <= low) return table_of([](int level) { return static_cast<std::uint8_t>(level); });
  const double scale = 255.0 / (high - low);
  return table_of([&](int level) { return static_cast<std::uint8_t>(std::clamp((level - low) * scale, 0.0, 255.0)); });
}

// Level l goes to (pixels below l + step / 2) / step, step being a 255th of the pixels below the highest level.
Table equalized(const Histogram& histogram) {
  std::int64_t total = 0;
  std::int64_t highest = 0;
  for (const std::int64_t count : histogram) {
    total += count;
    if (count > 0) highest = count;
  }
  const std::int64_t step = (total - highest) / 255;
  if (step == 0) return table_of([](int level) { return static_cast<std::uint8_t>(level); });
  std::int64_t below = step / 2;
  return table_of([&](int level) {
    const std::int64_t value = below / step;
    below += histogram[static_cast<std::size_t>(level)];
    return static_cast<std::uint8_t>(std::min<std::int64_t>(value, 255));
  });
}

// Hue and saturation in 8 bits each; value is the largest channel.
struct Hsv {
  std::uint8_t hue = 0;
  std::uint8_t saturation = 0;
  std::uint8_t value = 0;
};

Hsv to_hsv(const std::uint8_t* rgb) {
  const auto [low, high] = std::minmax({rgb[0], rgb[1], rgb[2]});
  Hsv hsv{0, 0, high};
  if (low == high) return hsv;
  // Mixed precision as in Pillow: the hue is cut to 8 bits, so the last bit of the float decides on which side of a step it
  // falls.
  const auto range = static_cast<float>(high - low);
  const auto below = [&](int channel) { return double{static_cast<float>(high - rgb[channel]) / range}; };
  const auto sextant = static_cast<float>(rgb[0] == high   ? below(2) - below(1)
                                          : rgb[1] == high ? 2 + below(0) - below(2)
                                                           : 4 + below(1) - below(0));
  const double turned = double{sextant} / 6 + 1;  // 5/6 to 11/6
  const auto turn = static_cast<float>(turned < 1 ? turned : turned - 1);
  hsv.hue = static_cast<std::uint8_t>(double{turn} * 255);
  hsv.saturation = static_cast<std::uint8_t>(range / static_cast<float>(high) * 255);
  return hsv;
}

void to_rgb(const Hsv& hsv, std::uint8_t* rgb) {
  const float sextant = static_cast<float>(hsv.hue) * 6 / 255;
  const float saturation = static_cast<float>(hsv.saturation) / 255;
  const auto whole = static_cast<int>(sextant);
  const float part = sextant - static_cast<float>(whole);
  const auto level = [&](float taken) {
    const float exact = static_cast<float>(hsv.value) * (1 - saturation * taken) + 0.5F;  // cut below: rounded
    return static_cast<std::uint8_t>(exact);
  };
  const std::uint8_t high = hsv.value;
  const std::uint8_t low = level(1);
  const std::uint8_t falling = level(part);
  const std::uint8_t rising = level(1 - part);
  constexpr int kLow = 0;
  constexpr int kFalling = 1;
  constexpr int kRising = 2;
  constexpr int kHigh = 3;
  constexpr std::array<std::array<int, 3>, 6> kSextants{{{kHigh, kRising, kLow},
                                                         {kFalling, kHigh, kLow},
                                                         {kLow, kHigh, kRising},
                                                         {kLow, kFalling, kHigh},
                                                         {kRising, kLow, kHigh},
                                                         {kHigh, kLow, kFalling}}};
  const std::array<std::uint8_t, 4> levels{low, falling, rising, high};
  const auto& order = kSextants[static_cast<std::size_t>(whole) % 6];
  for (std::size_t c = 0; c < 3; ++c) rgb[c] = levels[static_cast<std::size_t>(order[c])];
}

}  // namespace

void adjust_brightness(Image& image, float factor) {
  apply(image, table_of([&](int level) { return blend(0, static_cast<float>(level), factor); }));
}

void adjust_contrast(Image& image, float factor) {
  std::int64_t sum = 0;
  for (std::size_t i = 0; i < image.pixels.size(); i += 3)
    sum += luminance(image.pixels[i], image.pixels[i + 1], image.pixels[i + 2]);
  const std::size_t pixels = image.pixels.size() / 3;
  const double count = std::max(1.0, static_cast<double>(pixels));
  const auto mean = static_cast<float>(std::floor(static_cast<double>(sum) / count + 0.5));
  apply(image, table_of([&](int level) { return blend(mean, static_cast<float>(level), factor); }));
}

void adjust_saturation(Image& image, float factor) {
  for (std::size_t i = 0; i < image.pixels.size(); i += 3) {
    std::uint8_t* pixel = image.pixels.data() + i;
    const float grey = luminance(pixel[0], pixel[1], pixel[2]);
    for (int c = 0; c < 3; ++c) pixel[c] = blend(grey, pixel[c], factor);
  }
}

void adjust_sharpness(Image& image, float factor) {
  const Image source = image;
  for (int y = 1; y + 1 < image.height; ++y) {
    const std::array<const std::uint8_t*, 3> rows{source.row(y - 1), source.row(y), source.row(y + 1)};
    std::uint8_t* out = image.row(y);
    for (int x = 3; x < 3 * (image.width - 1); ++x) {
      int sum = 4 * rows[1][x];
      for (const std::uint8_t* row : rows) sum += row[x - 3] + row[x] + row[x + 3];
      const int smooth = (2 * sum + 13) / 26;  // rounded
      out[x] = blend(static_cast<float>(smooth), rows[1][x], factor);
    }
  }
}

void shift_hue(Image& image, float shift) {
  const auto turn = static_cast<int>(shift * 255);
  for (std::size_t i = 0; i < image.pixels.size(); i += 3) {
    Hsv hsv = to_hsv(image.pixels.data() + i);
    hsv.hue = static_cast<std::uint8_t>(hsv.hue + turn);
    to_rgb(hsv, image.pixels.data() + i);
  }
}

void posterize(Image& image, int bits) {
  const int mask = 0xFF & ~(0xFF >> bits);
  apply(image, table_of([&](int level) { return static_cast<std::uint8_t>(level & mask); }));
}

void solarize(Image& image, float threshold) {
  apply(image, table_of([&](int level) {
          return static_cast<std::uint8_t>(static_cast<float>(level) < threshold ? level : 255 - level);
        }));
}

void auto_contrast(Image& image) { apply_per_channel(image, stretched); }

void equalize(Image& image) { apply_per_channel(image, equalized); }

}  // namespace fovea
