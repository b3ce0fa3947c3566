// Fovea: pixels as a file holds them, and the one way from there to upright 8-bit RGB.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "image/image.h"

namespace fovea {

/// Row-major (height, width, channels), no gaps. Channels: 1 grey, 2 grey and alpha, 3 RGB, 4 RGB and alpha; alpha not
/// multiplied in. Samples of 8 bits, or of 16 in the byte order of the machine.
struct Raster {
  int width = 0;
  int height = 0;
  int channels = 0;
  int bits = 8;
  std::vector<std::uint8_t> samples;

  Raster() = default;
  Raster(int width_in, int height_in, int channels_in, int bits_in)
      : width(width_in),
        height(height_in),
        channels(channels_in),
        bits(bits_in),
        samples(row_bytes() * static_cast<std::size_t>(height_in)) {}

  [[nodiscard]] std::size_t row_bytes() const {
    return static_cast<std::size_t>(width) * static_cast<std::size_t>(channels) * static_cast<std::size_t>(bits / 8);
  }
  [[nodiscard]] std::uint8_t* row(int y) { return samples.data() + static_cast<std::size_t>(y) * row_bytes(); }
  [[nodiscard]] const std::uint8_t* row(int y) const { return const_cast<Raster*>(this)->row(y); }
};

/// Alpha laid over white, 16 bits scaled to 8 (rounded), grey repeated: the only place where this is done.
/// 8-bit RGB keeps its memory.
[[nodiscard]] Image to_rgb(Raster&& raster);

/// The picture turned upright as Exif orientation 1 to 8 says.
[[nodiscard]] Image upright(Image&& image, int orientation);

/// Whether upright exchanges width and height.
[[nodiscard]] constexpr bool turns_sideways(int orientation) { return orientation >= 5 && orientation <= 8; }

}  // namespace fovea
