// Fovea: helpers of the picture tests.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "image/image.h"

namespace fovea::test {

/// The bytes of tests/image/data/pictures/NAME; throws when there is no such file.
[[nodiscard]] std::vector<std::byte> picture_bytes(std::string_view name);

/// What that file must decode to: NAME.ppm, written by tools/make_picture_goldens.py, or rgb.png.ppm when there is none.
[[nodiscard]] Image picture_pixels(std::string_view name);

/// A picture in which every pixel differs from its neighbours and no two corners look alike.
[[nodiscard]] Image test_card(int width, int height);

struct Difference {
  int max = 0;
  double mean = 0;
};
/// Levels between two pictures of one size; throws when the sizes differ.
[[nodiscard]] Difference difference(const Image& a, const Image& b);

}  // namespace fovea::test
