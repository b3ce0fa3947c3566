// Fovea: antialiased resampling that agrees with Pillow's.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "core/vector_target.h"
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

/// A rectangle of whole pixels.
struct Window {
  int left = 0;
  int top = 0;
  int width = 0;
  int height = 0;
};

/// `box` of `source` scaled to width x height, all at least 1. Triangle filter (or Keys cubic, a = -0.5) stretched by the
/// reduction factor; one pass across and one down with 8 bits between them, an axis that does not change skipped; 22-bit
/// fixed-point weights. Gives the same pixels as `Image.resize(..., box=)` of Pillow 13; Pillow up to 12 always goes across
/// first, 13 goes down first where the height shrinks by more than twice as many pixels as the width.
[[nodiscard]] Image resize(const Image& source, int width, int height, Filter filter, const Box& box);
[[nodiscard]] Image resize(const Image& source, int width, int height, Filter filter);

/// Only `window` of what `resize` with the same arguments gives, without computing the rest. Every target gives the same pixels.
[[nodiscard]] Image resize(const Image& source, int width, int height, Filter filter, const Box& box, const Window& window,
                           const VectorTarget& target = VectorTarget::best());

/// Whether the pass down comes first. The order matters because the sums are rounded and clipped to 8 bits between the passes.
[[nodiscard]] bool down_first(int source_width, int source_height, int width, int height);

[[nodiscard]] inline Box whole(const Image& image) {
  return {0, 0, static_cast<double>(image.width), static_cast<double>(image.height)};
}

}  // namespace fovea
