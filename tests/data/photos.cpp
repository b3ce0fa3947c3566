// SPDX-License-Identifier: Apache-2.0
#include "data/photos.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <fstream>

#include "core/rng.h"
#include "image/encode.h"

namespace fovea::test {
void text_file(const std::filesystem::path& path, std::string_view text) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << text;
}

void photo_file(const std::filesystem::path& path, const Image& image) {
  const std::vector<std::byte> bytes = encode_png(image, 1);
  text_file(path, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}
void photo_file(const std::filesystem::path& path) { photo_file(path, flat_photo(4, 4, 10, 20, 30)); }

Image random_photo(int width, int height, std::uint64_t seed) {
  Rng rng(seed);
  // Four waves of random direction for each channel.
  std::array<std::array<float, 4>, 12> waves{};
  for (auto& wave : waves) wave = {rng.uniform(-9, 9), rng.uniform(-9, 9), rng.uniform(0, 6.3F), rng.uniform(10, 30)};
  Image image(width, height);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width * 3; ++x) {
      float value = 127 + rng.uniform(-4, 4);
      for (std::size_t k = 0; k < 4; ++k) {
        const auto& [dx, dy, phase, size] = waves[k * 3 + static_cast<std::size_t>(x % 3)];
        value += size * std::sin(dx * static_cast<float>(x / 3) / static_cast<float>(width) +
                                 dy * static_cast<float>(y) / static_cast<float>(height) + phase);
      }
      image.row(y)[x] = static_cast<std::uint8_t>(std::clamp(value, 0.0F, 255.0F));
    }
  }
  return image;
}

Image flat_photo(int width, int height, std::uint8_t red, std::uint8_t green, std::uint8_t blue) {
  Image image(width, height);
  for (std::size_t i = 0; i < image.pixels.size(); ++i) image.pixels[i] = std::array{red, green, blue}[i % 3];
  return image;
}

}  // namespace fovea::test
