// Fovea skies: gradient noise in two dimensions and sums of it over scales.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>

#include "core/rng.h"
#include "vec.h"

namespace skies {

/// Smooth noise with zero mean, about one feature per unit of length, period 256 (K. Perlin, "Improving noise", 2002).
class Noise {
 public:
  explicit Noise(fovea::Rng rng);

  /// In about [-1, 1].
  [[nodiscard]] float at(Vec2 p) const;
  /// Octaves of doubling frequency, each `gain` times as strong as the one before; in about [-1, 1].
  [[nodiscard]] float fractal(Vec2 p, int octaves, float gain = 0.5F) const;
  /// The same of |noise|: round tops between creases, as of cumulus; turned over, the ridges of mountains; in about [-1, 1].
  [[nodiscard]] float billow(Vec2 p, int octaves, float gain = 0.5F) const;
  /// `p` moved about by noise of the given strength, so that shapes swirl.
  [[nodiscard]] Vec2 warped(Vec2 p, float strength) const;

 private:
  std::array<std::uint8_t, 512> permutation_{};
  std::array<Vec2, 256> gradients_{};
};

}  // namespace skies
