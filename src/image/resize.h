// Fovea: antialiased resampling that agrees with Pillow's.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "image/image.h"

namespace fovea {

enum class Filter : std::uint8_t { kBilinear, kBicubic };

/// A region of the source, in pixels; may have fractional edges, must lie inside the picture.
struct Box {
  double left = 0;
  double top = 0;
  double right = 0;
  double bottom = 0;
};

/// `box` of `source` scaled to width x height. Triangle filter (or Keys cubic, a = -0.5) stretched by the reduction
/// factor; horizontal pass to 8 bits first, then vertical, each axis skipped if it does not change; 22-bit fixed-point weights:
/// within one level of Pillow's `Image.resize(..., box=)` on every pixel.
[[nodiscard]] Image resize(const Image& source, int width, int height, Filter filter, const Box& box);
[[nodiscard]] Image resize(const Image& source, int width, int height, Filter filter);

}  // namespace fovea
