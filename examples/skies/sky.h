// Fovea skies: the light of the cloudless sky and of the sun.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "vec.h"

namespace skies {

/// A daylight sky after the shape of single Rayleigh and Mie scattering: blue overhead, pale at the horizon, a glow
/// about the sun, and all of it reddened by the length of the sun's path through the air.
class Sky {
 public:
  /// `sun` is a unit direction, `haze` from 0 (mountain air) to 1 (milky), `blue` scales the colour's depth about 1.
  Sky(Vec3 sun, float haze, float blue);

  [[nodiscard]] Vec3 sun() const { return sun_; }
  /// Colour of direct sunlight, about 1 at noon.
  [[nodiscard]] Color sunlight() const { return sunlight_; }
  /// Light from above without the sun: what lights shadows.
  [[nodiscard]] Color ambient() const { return ambient_; }
  /// Light from a direction, without the disc of the sun.
  [[nodiscard]] Color radiance(Vec3 direction) const;
  /// The colour that far things fade into.
  [[nodiscard]] Color horizon() const { return horizon_; }

 private:
  Vec3 sun_;
  float haze_;
  float low_sun_;  // 1 at the horizon, 0 when high
  Color sunlight_, zenith_, horizon_, ambient_;
};

/// What the lens adds about a bright sun.
struct Glare {
  float disc = 0.012F;  ///< radius of the overexposed disc, radians
  float bloom = 1;      ///< strength of the glow
  float star = 0;       ///< strength of the rays of the aperture
  float reach = 8;      ///< their length, in radii of the disc
  float points = 6;     ///< their number
  float turn = 0;       ///< their rotation, radians
};

/// Light of disc, glow and star `angle` radians from the sun, at `around` radians about it; about 20 in the middle.
[[nodiscard]] float glare(const Glare& glare, float angle, float around);

}  // namespace skies
