// Fovea: the arithmetic of a picture's steps on single levels and pixels, as src/data/colour.cpp and affine.cpp have it.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>

#include "backend/cuda/kernels/exact.h"
#include "core/picture_step.h"

namespace fovea::cuda {

using Kind = PictureStep::Kind;

FOVEA_INLINE bool has_table(Kind kind) {
  return kind == Kind::kBrightness || kind == Kind::kContrast || kind == Kind::kPosterize || kind == Kind::kSolarize ||
         kind == Kind::kAutoContrast || kind == Kind::kEqualize;
}
FOVEA_INLINE bool has_histogram(Kind kind) { return kind == Kind::kAutoContrast || kind == Kind::kEqualize; }

FOVEA_INLINE int luminance(const std::uint8_t* rgb) { return (rgb[0] * 19595 + rgb[1] * 38470 + rgb[2] * 7471 + 0x8000) >> 16; }

FOVEA_INLINE std::uint8_t blend(float degenerate, float level, float factor) {
  const float exact = degenerate + product(factor, level - degenerate);
  return static_cast<std::uint8_t>(fminf(fmaxf(exact, 0.0F), 255.0F));
}

/// `counts` are those of the 256 levels.
FOVEA_INLINE std::uint8_t stretched(const std::int32_t* counts, int level) {
  int low = 0, high = 255;
  while (low < 255 && counts[low] == 0) ++low;
  while (high > 0 && counts[high] == 0) --high;
  if (high <= low) return static_cast<std::uint8_t>(level);
  const double exact = product(static_cast<double>(level - low), 255.0 / (high - low));
  return static_cast<std::uint8_t>(exact < 0.0 ? 0.0 : exact > 255.0 ? 255.0 : exact);
}
FOVEA_INLINE std::uint8_t equalized(const std::int32_t* counts, int level) {
  std::int32_t total = 0, highest = 0, below = 0;
  for (int l = 0; l < 256; ++l) {
    if (l == level) below = total;
    total += counts[l];
    if (counts[l] > 0) highest = counts[l];
  }
  const std::int32_t step = (total - highest) / 255;
  if (step == 0) return static_cast<std::uint8_t>(level);
  const std::int32_t value = (step / 2 + below) / step;
  return static_cast<std::uint8_t>(value < 255 ? value : 255);
}

/// What a step with a table makes of a level. `mean`: of the picture's luminances.
FOVEA_INLINE std::uint8_t level_after(const PictureStep& step, int level, float mean, const std::int32_t* counts) {
  switch (step.kind) {
    case Kind::kBrightness: return blend(0.0F, static_cast<float>(level), step.amount);
    case Kind::kContrast: return blend(mean, static_cast<float>(level), step.amount);
    case Kind::kPosterize: return static_cast<std::uint8_t>(level & 0xFF & ~(0xFF >> static_cast<int>(step.amount)));
    case Kind::kSolarize: return static_cast<std::uint8_t>(static_cast<float>(level) < step.amount ? level : 255 - level);
    case Kind::kAutoContrast: return stretched(counts, level);
    case Kind::kEqualize: return equalized(counts, level);
    default: return static_cast<std::uint8_t>(level);
  }
}

FOVEA_INLINE void saturate(const std::uint8_t* from, float factor, std::uint8_t* to) {
  const auto grey = static_cast<float>(luminance(from));
  for (int c = 0; c < 3; ++c) to[c] = blend(grey, static_cast<float>(from[c]), factor);
}

/// Hue in 8 bits, in mixed precision as Pillow has it.
FOVEA_INLINE int hue_of(const std::uint8_t* rgb, int low, int high) {
  if (low == high) return 0;
  const auto range = static_cast<float>(high - low);
  double below[3];
  for (int c = 0; c < 3; ++c) below[c] = static_cast<double>(static_cast<float>(high - rgb[c]) / range);
  const auto sextant = static_cast<float>(rgb[0] == high   ? below[2] - below[1]
                                          : rgb[1] == high ? 2 + below[0] - below[2]
                                                           : 4 + below[1] - below[0]);
  const double turned = static_cast<double>(sextant) / 6 + 1;
  const auto turn = static_cast<float>(turned < 1 ? turned : turned - 1);
  return static_cast<std::uint8_t>(product(static_cast<double>(turn), 255.0));
}

FOVEA_INLINE void put(std::uint8_t* to, std::uint8_t red, std::uint8_t green, std::uint8_t blue) {
  to[0] = red;
  to[1] = green;
  to[2] = blue;
}

FOVEA_INLINE void shift_hue(const std::uint8_t* from, float shift, std::uint8_t* to) {
  int low = from[0], high = from[0];
  for (int c = 1; c < 3; ++c) {
    low = from[c] < low ? from[c] : low;
    high = from[c] > high ? from[c] : high;
  }
  const auto hue = static_cast<std::uint8_t>(hue_of(from, low, high) + static_cast<int>(product(shift, 255.0F)));
  const int in_8_bits =
      low == high ? 0 : static_cast<std::uint8_t>(product(static_cast<float>(high - low) / static_cast<float>(high), 255.0F));
  const float saturation = static_cast<float>(in_8_bits) / 255.0F;
  const float sextant = product(static_cast<float>(hue), 6.0F) / 255.0F;
  const auto whole = static_cast<int>(sextant);
  const float part = sextant - static_cast<float>(whole);
  const auto level = [&](float taken) {
    const float exact = product(static_cast<float>(high), 1.0F - product(saturation, taken)) + 0.5F;
    return static_cast<std::uint8_t>(exact);
  };
  const auto value = static_cast<std::uint8_t>(high);
  const std::uint8_t least = level(1.0F), falling = level(part), rising = level(1.0F - part);
  switch (whole % 6) {
    case 0: put(to, value, rising, least); break;
    case 1: put(to, falling, value, least); break;
    case 2: put(to, least, value, rising); break;
    case 3: put(to, least, falling, value); break;
    case 4: put(to, rising, least, value); break;
    default: put(to, value, least, falling); break;
  }
}

/// A picture's bytes.
struct Plane8 {
  const std::uint8_t* pixels;
  int height, width;
  FOVEA_INLINE const std::uint8_t* at(int x, int y) const { return pixels + 3 * (static_cast<std::int64_t>(y) * width + x); }
  FOVEA_INLINE const std::uint8_t* nearest(int x, int y) const {
    return at(x < 0 ? 0 : x >= width ? width - 1 : x, y < 0 ? 0 : y >= height ? height - 1 : y);
  }
};

FOVEA_INLINE void sharpen(const Plane8& from, int x, int y, float factor, std::uint8_t* to) {
  const bool edge = x == 0 || y == 0 || x == from.width - 1 || y == from.height - 1;
  for (int c = 0; c < 3; ++c) {
    const int own = from.at(x, y)[c];
    to[c] = static_cast<std::uint8_t>(own);
    if (edge) continue;
    int sum = 4 * own;
    for (int dy = -1; dy <= 1; ++dy) {
      for (int dx = -1; dx <= 1; ++dx) sum += from.at(x + dx, y + dy)[c];
    }
    const int mean = (2 * sum + 13) / 26;  // of 13 weights, rounded
    to[c] = blend(static_cast<float>(mean), static_cast<float>(own), factor);
  }
}

FOVEA_INLINE void transform(const Plane8& from, int x, int y, const double* map, std::uint8_t* to) {
  const double column = x + 0.5, row = y + 0.5;
  const double from_x = product(map[0], column) + product(map[1], row) + map[2];
  const double from_y = product(map[3], column) + product(map[4], row) + map[5];
  const bool inside = from_x >= 0 && from_y >= 0 && from_x < from.width && from_y < from.height;
  // NOLINTNEXTLINE(bugprone-incorrect-roundings): what is inside is not negative
  const int left = inside ? static_cast<int>(from_x + 0.5) - 1 : 0, top = inside ? static_cast<int>(from_y + 0.5) - 1 : 0;
  const auto across = static_cast<float>(from_x - 0.5 - left), down = static_cast<float>(from_y - 0.5 - top);
  for (int c = 0; c < 3; ++c) {
    const auto row_of = [&](int at) {
      const int first = from.nearest(left, at)[c], second = from.nearest(left + 1, at)[c];
      return static_cast<float>(first) + product(across, static_cast<float>(second - first));
    };
    const float above = row_of(top), below = row_of(top + 1);
    const float level = above + product(down, below - above) + 0.5F;
    to[c] = inside ? static_cast<std::uint8_t>(level) : std::uint8_t{0};
  }
}

}  // namespace fovea::cuda
