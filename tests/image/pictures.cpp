// SPDX-License-Identifier: Apache-2.0
#include "image/pictures.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <string>

#include "core/file.h"
#include "support/paths.h"

namespace fovea::test {

std::vector<std::byte> picture_bytes(std::string_view name) {
  auto bytes = read_file(test_data("image/data/pictures/" + std::string(name)), std::size_t{1} << 20);
  if (!bytes) throw std::runtime_error(bytes.error().message);
  return std::move(bytes).value();
}

Image picture_pixels(std::string_view name) {
  const std::string own = std::string(name) + ".ppm";
  const bool shared = !std::filesystem::exists(test_data("image/data/pictures/" + own));
  const std::vector<std::byte> ppm = picture_bytes(shared ? "rgb.png.ppm" : own);
  int width = 0;
  int height = 0;
  int header = 0;
  const std::string start(reinterpret_cast<const char*>(ppm.data()), std::min<std::size_t>(ppm.size(), 32));
  if (std::sscanf(start.c_str(), "P6 %d %d 255%n", &width, &height, &header) != 2 || header == 0) {
    throw std::runtime_error(std::string(name) + ".ppm: not the PPM that was expected");
  }
  Image image(width, height);
  if (ppm.size() != static_cast<std::size_t>(header) + 1 + image.pixels.size()) throw std::runtime_error("PPM of a wrong size");
  std::memcpy(image.pixels.data(), ppm.data() + header + 1, image.pixels.size());
  return image;
}

Image test_card(int width, int height) {
  Image image(width, height);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      std::uint8_t* pixel = image.row(y) + x * 3;
      pixel[0] = static_cast<std::uint8_t>(x * 255 / std::max(width - 1, 1));
      pixel[1] = static_cast<std::uint8_t>(y * 255 / std::max(height - 1, 1));
      pixel[2] = static_cast<std::uint8_t>((x * 37 + y * 91) % 256);
    }
  }
  return image;
}

Difference difference(const Image& a, const Image& b) {
  if (a.width != b.width || a.height != b.height) throw std::runtime_error("pictures of different sizes");
  Difference result;
  double sum = 0;
  for (std::size_t i = 0; i < a.pixels.size(); ++i) {
    const int levels = std::abs(int{a.pixels[i]} - int{b.pixels[i]});
    result.max = std::max(result.max, levels);
    sum += levels;
  }
  result.mean = a.pixels.empty() ? 0 : sum / static_cast<double>(a.pixels.size());
  return result;
}

}  // namespace fovea::test
