// Fovea skies: what stands and lies below the sky.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "noise.h"
#include "sky.h"
#include "vec.h"

namespace skies {

enum class Surface : std::uint8_t { kGrass, kField, kSand, kSnow, kSea, kRoofs };
enum class Skyline : std::uint8_t { kFlat, kHills, kMountains, kTrees, kCity };

struct GroundStyle {
  Surface surface = Surface::kGrass;
  Skyline skyline = Skyline::kHills;
  float rise = 0.06F;    ///< height of the skyline over the horizon, as a slope
  float frequency = 3;   ///< of its features, per radian
  float brightness = 1;  ///< 1: as lit; near 0: a silhouette
  float shore = 0;       ///< sea beyond, land before it: the slope downwards where they meet; 0: no sea beyond
  float flowers = 0;     ///< share of grass that blooms
  Color bloom{1, 1, 1};  ///< colour of the flowers
  float side_tree = 0;   ///< height of a tree that frames the picture, as a slope; 0: none
  float side = 0;        ///< where it stands, radians from the middle
  Color tint{1, 1, 1};
};

class Ground {
 public:
  Ground(const GroundStyle& style, fovea::Rng rng) : style_(style), noise_(rng) {}

  /// Whether a direction ends on the ground or on what stands on it.
  [[nodiscard]] bool hides(Vec3 direction) const;
  /// Its light, if it does. `sunlit`: the share of direct sunlight; `overhead`: the light of the sky above.
  [[nodiscard]] Color light(const Sky& sky, Color overhead, float sunlit, Vec3 direction) const;

 private:
  [[nodiscard]] float skyline(float azimuth) const;
  [[nodiscard]] bool in_side_tree(float azimuth, float slope) const;
  [[nodiscard]] Color surface(const Sky& sky, Color overhead, float sunlit, Vec3 direction) const;
  [[nodiscard]] Color sea(const Sky& sky, Color overhead, float sunlit, Vec3 direction) const;
  [[nodiscard]] Color standing(float azimuth, float slope) const;

  GroundStyle style_;
  Noise noise_;
};

}  // namespace skies
