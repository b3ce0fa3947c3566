// SPDX-License-Identifier: Apache-2.0
#include "sky.h"

#include <cmath>

namespace skies {
namespace {

// Optical depth of clean air at zenith for red, green and blue, and the share that haze adds to all of them.
constexpr Color kAir{0.045F, 0.10F, 0.23F};
constexpr float kHaze = 0.12F;

// Path through the air, 1 overhead (Kasten and Young, 1989).
float air_mass(float elevation) {
  const float degrees = std::max(elevation, 0.0F) * 57.29578F;
  return 1 / (std::sin(std::max(elevation, 0.0F)) + 0.50572F * std::pow(degrees + 6.07995F, -1.6364F));
}

Color transmitted(float mass, float haze) {
  const auto one = [&](float depth) { return std::exp(-mass * (depth + kHaze * haze)); };
  return {one(kAir.x), one(kAir.y), one(kAir.z)};
}

}  // namespace

Sky::Sky(Vec3 sun, float haze, float blue) : sun_(sun), haze_(haze) {
  const float elevation = std::asin(std::clamp(sun.y, -1.0F, 1.0F));
  // Half of the reddening: the other half would leave the dusk too dark for the pictures' purpose.
  sunlight_ = transmitted(0.5F * air_mass(elevation), haze);
  low_sun_ = 1 - smoothstep(0.02F, 0.45F, elevation);
  const float day = mix(1.0F, 0.45F, low_sun_);
  const Color deep{0.055F / blue, 0.17F / std::sqrt(blue), 0.52F};
  const Color milky{0.42F, 0.52F, 0.66F};
  zenith_ = mix(deep, milky, 0.55F * haze) * day;
  const Color pale = mix(Color{0.36F, 0.58F, 0.86F}, Color{0.78F, 0.80F, 0.82F}, haze) * day;
  horizon_ = mix(pale, sunlight_ * Color{1.0F, 0.80F, 0.62F}, 0.6F * low_sun_);
  ambient_ = mix(zenith_, horizon_, 0.4F);
}

Color Sky::radiance(Vec3 direction) const {
  const float height = std::max(direction.y, 0.0F);
  const float toward = dot(direction, sun_);
  // The horizon's paleness reaches higher in hazy air.
  const float paleness = std::exp(-height * mix(6.0F, 2.2F, haze_));
  Color light = mix(zenith_, horizon_, paleness);
  // Away from a low sun the horizon keeps its blue.
  light = mix(light, zenith_ * 1.2F, 0.5F * low_sun_ * paleness * clamp01(0.5F - 0.5F * toward));
  // Rayleigh's phase function, then the forward peak of haze (Henyey and Greenstein, g = 0.76 and 0.35).
  light = light * (0.82F + 0.18F * toward * toward);
  constexpr float kSharp = 0.76F;
  const float peak = 1 + kSharp * kSharp - 2 * kSharp * toward;
  const float forward = (1 - kSharp * kSharp) / (peak * std::sqrt(peak));
  const float wide = clamp01(toward) * clamp01(toward);
  return light + sunlight_ * ((0.020F + 0.045F * haze_) * forward + 0.10F * haze_ * wide);
}

float glare(const Glare& glare, float angle, float around) {
  const float ratio = angle / glare.disc;
  float light = 20 / (1 + ratio * ratio * ratio * ratio);
  light += glare.bloom * (2.2F * std::exp(-ratio * 0.45F) + 0.45F * std::exp(-ratio * 0.12F));
  if (glare.star > 0 && ratio < 6 * glare.reach) {
    const float spoke = std::abs(std::cos(0.5F * glare.points * (around + glare.turn)));
    light += glare.star * std::pow(spoke, 24 + 2 * ratio) * 3 * std::exp(-ratio / glare.reach);
  }
  return light;
}

}  // namespace skies
