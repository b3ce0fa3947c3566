// Fovea: changes of colour on 8-bit pictures, in place; they agree with Pillow's within one level.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "image/image.h"

namespace fovea {

/// Luminance by ITU-R BT.601, in 16-bit fixed point, rounded.
[[nodiscard]] constexpr std::uint8_t luminance(int red, int green, int blue) {
  return static_cast<std::uint8_t>((red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16);
}

// Each of the first four lies on the line from a degenerate picture (factor 0) through the picture itself (factor 1):
// degenerate + factor (pixel - degenerate), cut to 0..255 and truncated.

/// Degenerate: black.
void adjust_brightness(Image& image, float factor);
/// Degenerate: the mean luminance, rounded, everywhere.
void adjust_contrast(Image& image, float factor);
/// Degenerate: the luminance of each pixel.
void adjust_saturation(Image& image, float factor);
/// Degenerate: smoothed by (1 1 1; 1 5 1; 1 1 1) / 13, the outermost pixels kept.
void adjust_sharpness(Image& image, float factor);

/// Turns the hue, held in 8 bits, by `shift` of the full circle; -0.5 to 0.5.
void shift_hue(Image& image, float shift);
/// Keeps the `bits` highest bits of every level; 0 to 8.
void posterize(Image& image, int bits);
/// Inverts the levels from `threshold` on.
void solarize(Image& image, float threshold);
/// Stretches each channel to 0..255.
void auto_contrast(Image& image);
/// Levels out the histogram of each channel.
void equalize(Image& image);

}  // namespace fovea
