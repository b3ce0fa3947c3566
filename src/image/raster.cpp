// SPDX-License-Identifier: Apache-2.0
#include "image/raster.h"

#include <algorithm>
#include <cstring>

namespace fovea {
namespace {

// A pixel of `Channels` samples that run from 0 to `kMax`, to 8-bit RGB. Quotients are rounded to nearest.
template <class Sample, int Channels>
void convert(const Raster& raster, std::uint8_t* out) {
  constexpr std::uint64_t kMax = sizeof(Sample) == 1 ? 255 : 65535;
  constexpr bool kAlpha = Channels == 2 || Channels == 4;
  const std::size_t count = static_cast<std::size_t>(raster.width) * static_cast<std::size_t>(raster.height);
  const std::uint8_t* in = raster.samples.data();
  for (std::size_t i = 0; i < count; ++i, in += sizeof(Sample) * Channels, out += 3) {
    Sample pixel[Channels];
    std::memcpy(pixel, in, sizeof pixel);
    for (int channel = 0; channel < 3; ++channel) {
      const std::uint64_t value = pixel[Channels < 3 ? 0 : channel];
      if constexpr (kAlpha) {
        const std::uint64_t alpha = pixel[Channels - 1];
        out[channel] =
            static_cast<std::uint8_t>(((value * alpha + kMax * (kMax - alpha)) * 255 + kMax * kMax / 2) / (kMax * kMax));
      } else {
        out[channel] = static_cast<std::uint8_t>((value * 255 + kMax / 2) / kMax);
      }
    }
  }
}

template <class Sample>
void convert(const Raster& raster, std::uint8_t* out) {
  switch (raster.channels) {
    case 1: return convert<Sample, 1>(raster, out);
    case 2: return convert<Sample, 2>(raster, out);
    case 3: return convert<Sample, 3>(raster, out);
    default: return convert<Sample, 4>(raster, out);
  }
}

void mirror_rows(Image& image) {
  for (int y = 0; y < image.height; ++y) {
    std::uint8_t* left = image.row(y);
    std::uint8_t* right = left + static_cast<std::size_t>(image.width - 1) * 3;
    for (; left < right; left += 3, right -= 3) std::swap_ranges(left, left + 3, right);
  }
}

void flip(Image& image) {
  const std::size_t bytes = static_cast<std::size_t>(image.width) * 3;
  for (int top = 0, bottom = image.height - 1; top < bottom; ++top, --bottom) {
    std::swap_ranges(image.row(top), image.row(top) + bytes, image.row(bottom));
  }
}

// Exchanges rows and columns, in tiles so that both sides stay in the first-level cache.
Image transposed(const Image& image) {
  constexpr int kTile = 32;
  Image out(image.height, image.width);
  for (int top = 0; top < image.height; top += kTile) {
    for (int left = 0; left < image.width; left += kTile) {
      for (int y = top; y < std::min(top + kTile, image.height); ++y) {
        for (int x = left; x < std::min(left + kTile, image.width); ++x) {
          std::copy_n(image.row(y) + x * 3, 3, out.row(x) + y * 3);
        }
      }
    }
  }
  return out;
}

}  // namespace

Image to_rgb(Raster&& raster) {
  Image image;
  image.width = raster.width;
  image.height = raster.height;
  if (raster.bits == 8 && raster.channels == 3) {
    image.pixels = std::move(raster.samples);
    return image;
  }
  image.pixels.resize(static_cast<std::size_t>(raster.width) * static_cast<std::size_t>(raster.height) * 3);
  raster.bits == 16 ? convert<std::uint16_t>(raster, image.pixels.data()) : convert<std::uint8_t>(raster, image.pixels.data());
  return image;
}

// Exif 2.32, table 6 (tag 274): the number says where the stored first row and first column belong.
Image upright(Image&& image, int orientation) {
  Image out = turns_sideways(orientation) ? transposed(image) : std::move(image);
  if (orientation == 2 || orientation == 3 || orientation == 6 || orientation == 7) mirror_rows(out);
  if (orientation == 3 || orientation == 4 || orientation == 7 || orientation == 8) flip(out);
  return out;
}

}  // namespace fovea
