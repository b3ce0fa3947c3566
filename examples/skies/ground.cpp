// SPDX-License-Identifier: Apache-2.0
#include "ground.h"

#include <cmath>

namespace skies {
namespace {

float slope_of(Vec3 direction) { return direction.y / std::max(std::hypot(direction.x, direction.z), 1e-3F); }
float azimuth_of(Vec3 direction) { return std::atan2(direction.x, direction.z); }

}  // namespace

float Ground::skyline(float azimuth) const {
  const float u = azimuth * style_.frequency;
  switch (style_.skyline) {
    case Skyline::kFlat: return 0;
    case Skyline::kHills: return style_.rise * std::max(0.0F, 0.5F + 0.7F * noise_.fractal({u, 3.5F}, 4, 0.35F));
    case Skyline::kMountains: return style_.rise * std::max(0.0F, 0.7F - 1.1F * noise_.billow({0.6F * u, 9.5F}, 5, 0.42F));
    case Skyline::kTrees:
      return style_.rise * (0.45F + 0.35F * noise_.fractal({2 * u, 1.5F}, 3) + 0.3F * noise_.fractal({14 * u, 4.5F}, 4, 0.65F));
    case Skyline::kCity: {
      // Blocks: one height for each cell of azimuth, some cells lower, few much higher.
      const float cell = std::floor(u * 5);
      const float draw = 0.5F + 0.7F * noise_.at({cell * 0.731F, 2.5F});
      return style_.rise * (0.15F + draw * draw * 1.1F);
    }
  }
  return 0;
}

// A crown of leaf clumps on a trunk.
bool Ground::in_side_tree(float azimuth, float slope) const {
  if (style_.side_tree <= 0) return false;
  const float x = (azimuth - style_.side) / style_.side_tree;
  const float y = slope / style_.side_tree;
  if (y > 0 && y < 0.5F && std::abs(x) < 0.035F) return true;
  const float reach = (x * x) / 0.16F + (y - 0.62F) * (y - 0.62F) / 0.14F;
  return reach < 1.1F && 1 - reach + 0.9F * noise_.fractal({7 * x + 40, 7 * y}, 4, 0.65F) > 0.15F;
}

bool Ground::hides(Vec3 direction) const {
  const float slope = slope_of(direction);
  if (slope < 0) return true;
  // Nothing in these scenes stands higher than this.
  if (slope > 0.9F) return false;
  const float azimuth = azimuth_of(direction);
  return slope < skyline(azimuth) || in_side_tree(azimuth, slope);
}

Color Ground::standing(float azimuth, float slope) const {
  const float u = azimuth * style_.frequency;
  switch (style_.skyline) {
    case Skyline::kMountains: {
      const float snow = smoothstep(0.45F, 0.6F, slope / style_.rise + 0.3F * noise_.fractal({4 * u, 30 * slope}, 4));
      return mix(Color{0.13F, 0.14F, 0.15F}, Color{0.5F, 0.53F, 0.58F}, snow) *
             (1 + 0.5F * noise_.fractal({6 * u, 40 * slope}, 4));
    }
    case Skyline::kCity: {
      const float wall = 0.16F + 0.12F * noise_.at({std::floor(u * 5) * 1.37F, 8.5F});
      const bool window = std::fmod(std::abs(u * 40), 1.0F) > 0.5F && std::fmod(std::abs(slope * 160), 1.0F) > 0.5F;
      return Color{wall, wall, wall * 1.05F} * (window ? 0.55F : 1.0F);
    }
    case Skyline::kTrees: return Color{0.035F, 0.06F, 0.02F} * (1 + 0.9F * noise_.fractal({30 * u, 130 * slope}, 3));
    case Skyline::kFlat:
    case Skyline::kHills: return Color{0.06F, 0.09F, 0.04F} * (1 + 0.4F * noise_.fractal({9 * u, 70 * slope}, 4));
  }
  return {};
}

// A mirror of the sky, broken by waves; the sun's mirror image is a path of sparks.
Color Ground::sea(const Sky& sky, Color overhead, float sunlit, Vec3 direction) const {
  const float distance = 1 / std::max(-direction.y, 0.01F);
  const Vec2 place{direction.x * distance * 2, direction.z * distance * 0.8F};
  const float wave = noise_.fractal({place.x * 1.5F, place.y * 3}, 4, 0.6F) * std::min(1.0F, 12 / distance);
  const float steepness = clamp01(-direction.y);
  const float mirror = clamp01(0.1F + 0.9F * std::pow(1 - steepness, 8.0F) + 0.3F * wave);
  // Shallow water near a beach is turquoise, deep water blue.
  const float shallow = style_.shore > 0 ? smoothstep(0, style_.shore, -slope_of(direction)) : 0;
  const Color water = mix(Color{0.01F, 0.07F, 0.17F}, Color{0.08F, 0.42F, 0.42F}, 0.8F * shallow) * style_.tint;
  const Color deep = water * (0.35F + 0.9F * sunlit) * (1 + 0.5F * wave);
  const Vec3 sun = sky.sun();
  const float beside = (azimuth_of(direction) - azimuth_of(sun)) / 0.16F;
  const float spark = smoothstep(0.15F, 0.6F, noise_.at({place.x * 4, place.y * 8}) + 0.5F * wave) * std::exp(-beside * beside);
  return mix(deep, mix(overhead, sky.horizon(), 0.6F), 0.75F * mirror) + sky.sunlight() * (2.5F * sunlit * spark);
}

Color Ground::surface(const Sky& sky, Color overhead, float sunlit, Vec3 direction) const {
  const float shore = style_.shore * (1 + 0.25F * noise_.fractal({3 * azimuth_of(direction), 6.5F}, 3));
  if (style_.surface == Surface::kSea || -slope_of(direction) < shore) return sea(sky, overhead, sunlit, direction);
  const float distance = 1 / std::max(-direction.y, 0.01F);
  const Vec2 place{direction.x * distance, direction.z * distance};
  const float sharp = std::min(1.0F, 8 / distance);
  const float patches = noise_.fractal(place * 0.35F, 3);
  const float blades = noise_.fractal({place.x * 9, place.y * 5}, 4, 0.65F) * sharp;
  Color base;
  switch (style_.surface) {
    case Surface::kGrass: base = mix(Color{0.04F, 0.17F, 0.01F}, Color{0.17F, 0.28F, 0.025F}, 0.5F + 0.5F * patches); break;
    case Surface::kField: base = mix(Color{0.20F, 0.15F, 0.06F}, Color{0.12F, 0.15F, 0.05F}, 0.5F + patches); break;
    case Surface::kSand: base = Color{0.42F, 0.34F, 0.24F} * (1 + 0.25F * patches); break;
    case Surface::kSnow: base = Color{0.72F, 0.76F, 0.84F} * (1 + 0.15F * patches); break;
    case Surface::kRoofs: base = Color{0.11F, 0.10F, 0.10F} * (1 + 0.8F * patches); break;
    case Surface::kSea: break;
  }
  const float rough = style_.surface == Surface::kSand || style_.surface == Surface::kSnow ? 0.2F : 0.7F;
  if (style_.flowers > 0 && noise_.at({place.x * 14, place.y * 9}) > 1 - style_.flowers) base = style_.bloom * 0.6F;
  const Color incoming = sky.sunlight() * (sunlit * (0.25F + sky.sun().y)) + overhead;
  return base * incoming * style_.tint * std::max(0.1F, 1 + rough * blades);
}

Color Ground::light(const Sky& sky, Color overhead, float sunlit, Vec3 direction) const {
  const float slope = slope_of(direction);
  const float azimuth = azimuth_of(direction);
  if (in_side_tree(azimuth, slope)) return Color{0.03F, 0.045F, 0.015F} * style_.brightness;
  Color color;
  float distance = 14;
  if (slope < 0) {
    color = surface(sky, overhead, sunlit, direction);
    distance = std::min(14.0F, 0.3F / std::max(-slope, 0.01F));
  } else {
    color = standing(azimuth, slope) * (sky.sunlight() * (0.7F * sunlit) + overhead) * 1.3F;
    if (style_.skyline == Skyline::kTrees || style_.skyline == Skyline::kCity) distance = 5;
  }
  return mix(color * style_.brightness, sky.horizon() * mix(0.5F, 1.0F, sunlit), 1 - std::exp(-0.022F * distance));
}

}  // namespace skies
