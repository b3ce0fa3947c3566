// Fovea: decoded pixels.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace fovea {

/// 8-bit RGB, row-major (H, W, 3), no gaps; already upright and without alpha.
struct Image {
  int width = 0;
  int height = 0;
  std::vector<std::uint8_t> pixels;

  Image() = default;
  Image(int width_in, int height_in)
      : width(width_in),
        height(height_in),
        pixels(static_cast<std::size_t>(width_in) * static_cast<std::size_t>(height_in) * 3) {}

  [[nodiscard]] std::uint8_t* row(int y) {
    return pixels.data() + static_cast<std::size_t>(y) * static_cast<std::size_t>(width) * 3;
  }
  [[nodiscard]] const std::uint8_t* row(int y) const { return const_cast<Image*>(this)->row(y); }
};

}  // namespace fovea
