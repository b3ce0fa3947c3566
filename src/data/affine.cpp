// SPDX-License-Identifier: Apache-2.0
#include "data/affine.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace fovea {

Affine shear_x(double amount) { return {1, amount, 0, 0, 1, 0}; }

Affine shear_y(double amount) { return {1, 0, 0, amount, 1, 0}; }

Affine translate(double x, double y) { return {1, 0, -x, 0, 1, -y}; }

Affine rotate(double degrees, int width, int height) {
  const double angle = degrees * std::numbers::pi / 180;
  const double cosine = std::cos(angle);
  const double sine = std::sin(angle);
  const double x = width / 2.0;
  const double y = height / 2.0;
  return {cosine, -sine, x - cosine * x + sine * y, sine, cosine, y - sine * x - cosine * y};
}

Image transform(const Image& source, const Affine& map) {
  Image out(source.width, source.height);
  for (int y = 0; y < out.height; ++y) {
    std::uint8_t* pixel = out.row(y);
    for (int x = 0; x < out.width; ++x, pixel += 3) {
      const double from_x = map[0] * (x + 0.5) + map[1] * (y + 0.5) + map[2];
      const double from_y = map[3] * (x + 0.5) + map[4] * (y + 0.5) + map[5];
      if (!(from_x >= 0 && from_y >= 0 && from_x < source.width && from_y < source.height)) continue;
      // floor(v - 0.5), by cutting a v + 0.5 that is not negative
      const double right = from_x + 0.5;
      const double bottom = from_y + 0.5;
      const int left = static_cast<int>(right) - 1;
      const int top = static_cast<int>(bottom) - 1;
      const auto across = static_cast<float>(from_x - 0.5 - left);
      const auto down = static_cast<float>(from_y - 0.5 - top);
      const auto column = [&](int at) { return 3 * std::clamp(at, 0, source.width - 1); };
      const auto row = [&](int at) { return source.row(std::clamp(at, 0, source.height - 1)); };
      const std::uint8_t* upper = row(top);
      const std::uint8_t* lower = row(top + 1);
      const int first = column(left);
      const int second = column(left + 1);
      for (int c = 0; c < 3; ++c) {
        const float above = upper[first + c] + across * static_cast<float>(upper[second + c] - upper[first + c]);
        const float below = lower[first + c] + across * static_cast<float>(lower[second + c] - lower[first + c]);
        const float level = above + down * (below - above) + 0.5F;  // cut below: rounded
        pixel[c] = static_cast<std::uint8_t>(level);
      }
    }
  }
  return out;
}

}  // namespace fovea
