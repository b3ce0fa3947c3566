// Fovea skies: layers of cloud, seen from below.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "camera.h"
#include "noise.h"
#include "sky.h"
#include "vec.h"

namespace skies {

enum class CloudKind : std::uint8_t {
  kCumulus,        ///< heaps with lit tops and shaded bases
  kAltocumulus,    ///< many small flakes
  kStratocumulus,  ///< broad rolls
  kCirrus,         ///< thin brushed streaks
  kStratus,        ///< an almost even sheet
  kStorm,          ///< dark, torn, heavy
};

/// What a layer is; lengths in units of its height above ground.
struct CloudStyle {
  CloudKind kind = CloudKind::kCumulus;
  float cover = 0.5F;      ///< share of the visible sky whose density is above zero
  float scale = 1;         ///< features per unit of length
  float roundness = 0.2F;  ///< 0: a flat sheet that runs together at the horizon; more: heaps that stand up
  float opacity = 1;       ///< of its thick parts
  float softness = 0.2F;   ///< density over which its edges fade
  float darkness = 0.5F;   ///< of its thick parts, 0 to 1
  float stretch = 1;       ///< length over width of the features
  float turn = 0;          ///< direction of the stretch, radians
  Vec2 drift;              ///< displacement by wind
  Color tint{1, 1, 1};
};

/// Light that a layer sends to the eye, and the share of what is behind that it hides.
struct CloudSample {
  Color light;
  float opacity = 0;
};

class CloudLayer {
 public:
  CloudLayer(const CloudStyle& style, fovea::Rng rng)
      : style_(style), noise_(rng), cosine_(std::cos(style.turn)), sine_(std::sin(style.turn)) {}

  /// Finds the density's zero: that at which `style.cover` of the sky that `camera` sees is covered. To be called once, before
  /// the others.
  void settle(const Camera& camera);

  /// `sunlit`: the share of direct sunlight that reaches the layer.
  [[nodiscard]] CloudSample sample(const Sky& sky, float sunlit, Vec3 direction) const;
  [[nodiscard]] float opacity(Vec3 direction) const { return opacity_of(density(plane(direction), kOctaves)); }

 private:
  static constexpr int kOctaves = 6;
  /// Enough for shadows, which have no fine edges, and for the relief of a surface.
  static constexpr int kShadowOctaves = 2;
  static constexpr int kReliefOctaves = 4;

  [[nodiscard]] Vec2 plane(Vec3 direction) const;
  [[nodiscard]] float field(Vec2 p, int octaves) const;
  [[nodiscard]] float density(Vec2 p, int octaves) const { return field(p, octaves) - threshold_; }
  [[nodiscard]] float opacity_of(float density) const { return style_.opacity * smoothstep(0, style_.softness, density); }
  [[nodiscard]] float lit(const Sky& sky, Vec2 p, float thickness) const;

  CloudStyle style_;
  Noise noise_;
  float cosine_;
  float sine_;
  float threshold_ = 0;
  float thin_ = 0;      // density that one in ten covered places stays below
  float thick_ = 0.5F;  // and one that one in ten exceeds
};

/// The straight trail of an aircraft: a line on the cloud plane, fraying with age.
struct Contrail {
  Vec2 start;
  float turn = 0;
  float length = 1;
  float width = 0.01F;
  float opacity = 0.6F;

  [[nodiscard]] float opacity_at(Vec3 direction, const Noise& noise) const;
};

}  // namespace skies
