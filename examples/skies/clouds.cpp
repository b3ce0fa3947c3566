// SPDX-License-Identifier: Apache-2.0
#include "clouds.h"

#include <algorithm>
#include <cmath>

namespace skies {
namespace {

// Where a direction meets a sheet at height 1 of a world that curves away; finite down to the horizon.
Vec2 on_sheet(Vec3 direction, float roundness) {
  const float scale = 1 / (std::max(direction.y, 0.0F) + roundness);
  return {direction.x * scale, direction.z * scale};
}

Vec2 unit(Vec2 v) { return v * (1 / std::max(std::sqrt(v.x * v.x + v.y * v.y), 1e-3F)); }

}  // namespace

Vec2 CloudLayer::plane(Vec3 direction) const {
  const Vec2 p = on_sheet(direction, style_.roundness) * style_.scale;
  return {p.x + style_.drift.x, p.y + style_.drift.y};
}

float CloudLayer::field(Vec2 p, int octaves) const {
  Vec2 q{(cosine_ * p.x + sine_ * p.y) / style_.stretch, cosine_ * p.y - sine_ * p.x};
  switch (style_.kind) {
    case CloudKind::kCumulus:
      // Heaps where the coarse field is high; their cauliflower heads from the billows.
      return 0.8F * noise_.fractal(q, 2) + 0.42F * noise_.billow({2.1F * q.x + 7, 2.1F * q.y}, octaves - 1, 0.58F);
    case CloudKind::kAltocumulus: return 0.5F * noise_.fractal(q, 2) + 0.45F * noise_.billow({4 * q.x, 4 * q.y}, octaves - 2);
    case CloudKind::kStratocumulus:
      q = noise_.warped(q, 0.15F);
      return 0.55F * noise_.fractal(q, 2) + 0.4F * noise_.billow({1.6F * q.x, 1.6F * q.y + 3}, octaves - 1, 0.55F);
    case CloudKind::kCirrus: q = noise_.warped({0.6F * q.x, q.y}, 0.7F); return noise_.fractal(q, octaves, 0.62F);
    case CloudKind::kStratus: return noise_.fractal(noise_.warped(q, 0.2F), std::min(octaves, 5), 0.45F);
    case CloudKind::kStorm:
      q = noise_.warped(q, 0.25F);
      return 0.6F * noise_.fractal(q, octaves, 0.6F) + 0.45F * noise_.billow({1.4F * q.x + 5, 1.4F * q.y}, octaves - 1, 0.6F);
  }
  return 0;
}

void CloudLayer::settle(const Camera& camera) {
  constexpr int kGrid = 48;
  std::vector<float> values;
  values.reserve(static_cast<std::size_t>(kGrid) * kGrid);
  for (int y = 0; y < kGrid; ++y) {
    for (int x = 0; x < kGrid; ++x) {
      const float u = (static_cast<float>(x) + 0.5F) / kGrid;
      const float v = (static_cast<float>(y) + 0.5F) / kGrid;
      const Vec3 direction = camera.ray(u * static_cast<float>(camera.width()), v * static_cast<float>(camera.height()));
      if (direction.y > 0) values.push_back(field(plane(direction), kOctaves));
    }
  }
  if (values.empty()) return;
  std::sort(values.begin(), values.end());
  // The value below which lies this share of the covered places.
  const float clear = clamp01(1 - style_.cover);
  const auto quantile = [&](float share) {
    return values[static_cast<std::size_t>((clear + (1 - clear) * share) * static_cast<float>(values.size() - 1))];
  };
  // Half of an edge counts as covered. A sheet without gaps is sunk below its edges altogether.
  threshold_ = quantile(0) - 0.5F * style_.softness - (style_.cover >= 1 ? style_.softness : 0);
  thin_ = quantile(0.1F) - threshold_;
  thick_ = std::max(quantile(0.9F) - threshold_, thin_ + 0.05F);
}

// The share of direct sunlight that reaches a point of the layer past its neighbours: towards the sun, and upwards,
// which is towards the viewer's zenith.
float CloudLayer::lit(const Sky& sky, Vec2 p, float thickness) const {
  const Vec2 sun = plane(sky.sun());
  const Vec2 up = unit({style_.drift.x - p.x, style_.drift.y - p.y});
  const Vec2 to_sun = unit({sun.x - p.x, sun.y - p.y});
  const Vec2 way = unit(to_sun + up * 0.7F);
  float shadow = 0;
  for (const float distance : {0.12F, 0.35F})
    shadow += std::max(0.0F, density(p + way * distance, kShadowOctaves) - thin_ + 0.15F);
  // A slope that turns towards the light is brighter than one that turns away.
  const float relief = std::clamp(2.2F * (thickness - density(p + way * 0.05F, kReliefOctaves)), -0.45F, 0.45F);
  return clamp01(std::exp(-1.6F * shadow) + relief);
}

CloudSample CloudLayer::sample(const Sky& sky, float sunlit, Vec3 direction) const {
  const Vec2 p = plane(direction);
  const float thickness = density(p, kOctaves);
  CloudSample out{{}, opacity_of(thickness)};
  if (out.opacity <= 0.004F) return out;

  const float direct = lit(sky, p, thickness);
  // Thin parts let light through, thick ones hide it: seen from below, thick is dark.
  const float through = std::exp(-3 * style_.darkness * clamp01((thickness - thin_) / (thick_ - thin_)));
  const Color shade = mix(sky.ambient() * 0.75F, Color{0.42F, 0.44F, 0.47F}, 0.6F) * mix(1.0F, 0.3F, style_.darkness);
  const Color bright = sky.sunlight() * mix(0.55F, 1.05F, sunlit) + sky.ambient() * 0.25F;
  const float share = clamp01(mix(through, direct, 0.5F));
  out.light = mix(shade, bright, share);

  // Silver lining: thin cloud before the sun scatters its light forward.
  const float toward = clamp01(dot(direction, sky.sun()));
  const float peak = std::pow(toward, 24.0F);
  out.light = out.light + sky.sunlight() * (1.6F * sunlit * peak * std::exp(-6 * std::max(thickness, 0.0F)));
  // And a thick one there is seen from its dark side.
  out.light = out.light * (1 - 0.35F * sunlit * peak * smoothstep(thin_, thick_, thickness));

  // Far cloud fades into the air.
  const float distance = 1 / (std::max(direction.y, 0.0F) + 0.04F);
  const float air = 1 - std::exp(-0.045F * distance);
  out.light = mix(out.light * style_.tint, sky.horizon() * mix(1.0F, 0.7F, style_.darkness), air);
  return out;
}

float Contrail::opacity_at(Vec3 direction, const Noise& noise) const {
  const Vec2 p = on_sheet(direction, 0.1F);
  const float c = std::cos(turn);
  const float s = std::sin(turn);
  const float along = c * (p.x - start.x) + s * (p.y - start.y);
  const float across = c * (p.y - start.y) - s * (p.x - start.x);
  if (along < 0 || along > length) return 0;
  const float age = along / length;
  const float half = width * (0.25F + 1.5F * age);
  const float frayed = across + half * 0.8F * age * noise.at({along * 6, across * 3});
  return opacity * (1 - 0.75F * age) * smoothstep(1, 0.3F, std::abs(frayed) / half);
}

}  // namespace skies
