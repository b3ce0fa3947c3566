// Fovea: a colour for each class.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace fovea::annotation {

struct Rgb {
  std::uint8_t r = 0;
  std::uint8_t g = 0;
  std::uint8_t b = 0;
};

/// Told apart by people of every colour vision, light enough for a dark ground: M. Okabe, K. Ito, "Color Universal Design", 2008.
/// More classes than colours begin anew.
[[nodiscard]] constexpr Rgb colour_of(std::size_t number) {
  constexpr std::array<Rgb, 7> kColours{
      {{86, 180, 233}, {230, 159, 0}, {204, 121, 167}, {0, 158, 115}, {240, 228, 66}, {213, 94, 0}, {153, 153, 153}}};
  return kColours[number % kColours.size()];
}

}  // namespace fovea::annotation
