// Fovea: pixels that are laid over a picture.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "image/image.h"

namespace fovea::annotation {

/// Premultiplied ARGB of 8 bits each, alpha in the highest, as Cairo has it; row-major, no gaps. Begins transparent.
struct Layer {
  int width = 0;
  int height = 0;
  std::vector<std::uint32_t> pixels;

  Layer() = default;
  Layer(int width_in, int height_in)
      : width(width_in), height(height_in), pixels(static_cast<std::size_t>(width_in) * static_cast<std::size_t>(height_in)) {}

  [[nodiscard]] std::uint32_t* row(int y) {
    return pixels.data() + static_cast<std::size_t>(y) * static_cast<std::size_t>(width);
  }
  [[nodiscard]] const std::uint32_t* row(int y) const { return const_cast<Layer*>(this)->row(y); }
};

/// Over `picture`, which it must lie within.
void lay_over(const Layer& layer, int left, int top, Image& picture);

}  // namespace fovea::annotation
