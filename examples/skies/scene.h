// Fovea skies: everything that makes one picture, drawn at random for a label.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "camera.h"
#include "clouds.h"
#include "ground.h"
#include "sky.h"

namespace skies {

enum class Label : std::uint8_t { kClear, kSemiClear, kCloudy };
inline constexpr std::array kLabels{Label::kClear, Label::kSemiClear, Label::kCloudy};

/// The folder's name: "clear", "semi-clear", "cloudy".
[[nodiscard]] std::string_view name_of(Label label);

/// Shares of the visible sky that clouds may hide under each label; what lies between is never drawn, as people do
/// not agree on it either.
struct CoverRange {
  float low = 0;
  float high = 1;
  [[nodiscard]] bool holds(float cover) const { return cover >= low && cover <= high; }
};
[[nodiscard]] CoverRange cover_range(Label label);

struct Scene {
  Camera camera;
  Sky sky;
  Glare glare;
  float sunlit = 1;                ///< share of direct sunlight that reaches cloud and ground
  float rays = 0;                  ///< strength of beams between clouds
  std::vector<CloudLayer> layers;  ///< the farthest first
  std::vector<Contrail> contrails;
  Ground ground;
  Film film;
  std::uint64_t seed = 0;
  std::uint32_t item = 0;
};

/// A scene meant for a label. The picture's cover is known once it is rendered: see paint().
[[nodiscard]] Scene draw_scene(Label label, int width, int height, std::uint64_t seed, std::uint32_t item, std::uint32_t attempt);

/// Frame `index` of `count` of one sky whose weather slowly worsens, from clear to overcast.
[[nodiscard]] Scene timelapse_scene(int width, int height, std::uint64_t seed, int index, int count);

}  // namespace skies
