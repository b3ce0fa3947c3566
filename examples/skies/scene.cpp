// SPDX-License-Identifier: Apache-2.0
#include "scene.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace skies {
namespace {

using fovea::Rng;

// Purposes of random streams within one item; layers take kLayerStream and what follows.
constexpr std::uint32_t kSceneStream = 0;
constexpr std::uint32_t kGroundStream = 3;
constexpr std::uint32_t kLayerStream = 16;

constexpr float kTurn = 2 * std::numbers::pi_v<float>;

template <class T, std::size_t kCount>
T pick(Rng& rng, const std::array<T, kCount>& choices) {
  return choices[rng.below(kCount)];
}

struct View {
  Camera camera;
  bool has_ground;
};

// Three in four pictures show some land or sea; the rest look up.
View draw_view(Rng& rng, int width, int height) {
  const float field_of_view = radians(rng.uniform(45, 95));
  const float roll = radians(2 * rng.normal());
  const float focal = 0.5F * static_cast<float>(width) / std::tan(0.5F * field_of_view);
  const bool has_ground = rng.chance(0.72F);
  const float horizon = rng.uniform(0.55F, 0.95F);
  const float pitch =
      has_ground ? std::atan((horizon - 0.5F) * static_cast<float>(height) / focal) : radians(rng.uniform(22, 60));
  return {Camera(width, height, field_of_view, pitch, roll), has_ground};
}

Vec3 direction_of(float azimuth, float elevation) {
  return {std::sin(azimuth) * std::cos(elevation), std::sin(elevation), std::cos(azimuth) * std::cos(elevation)};
}

Vec3 draw_sun(Rng& rng, const Camera& camera, bool in_picture) {
  if (in_picture) {
    for (int attempt = 0; attempt < 20; ++attempt) {
      const Vec3 direction = camera.ray(rng.uniform(0.08F, 0.92F) * static_cast<float>(camera.width()),
                                        rng.uniform(0.04F, 0.6F) * static_cast<float>(camera.height()));
      if (direction.y > (rng.chance(0.15F) ? 0.1F : 0.25F)) return direction;
    }
  }
  return direction_of(rng.uniform(0.3F, 0.7F) * kTurn, radians(rng.chance(0.15F) ? rng.uniform(6, 15) : rng.uniform(15, 65)));
}

Glare draw_glare(Rng& rng) {
  Glare glare;
  glare.disc = std::exp(rng.uniform(-5.2F, -3.2F));
  glare.bloom = rng.uniform(0.4F, 1.6F);
  if (rng.chance(0.65F)) glare.star = rng.uniform(0.4F, 1.5F);
  glare.reach = rng.uniform(1.5F, 9);
  glare.points = 2.0F * static_cast<float>(3 + rng.below(7));
  glare.turn = rng.uniform(0, kTurn);
  return glare;
}

GroundStyle draw_ground(Rng& rng, Label label) {
  GroundStyle style;
  style.surface = pick(rng, std::array{Surface::kGrass, Surface::kGrass, Surface::kGrass, Surface::kField, Surface::kSand,
                                       Surface::kSnow, Surface::kSea, Surface::kSea, Surface::kRoofs});
  // Clear days are for the beach.
  if (label == Label::kClear && rng.chance(0.3F)) style.surface = rng.chance(0.5F) ? Surface::kSea : Surface::kSand;
  style.skyline = pick(rng, std::array{Skyline::kFlat, Skyline::kHills, Skyline::kHills, Skyline::kMountains, Skyline::kTrees,
                                       Skyline::kTrees, Skyline::kCity});
  if (style.surface == Surface::kSea && rng.chance(0.6F)) style.skyline = Skyline::kFlat;
  if (style.surface == Surface::kRoofs) style.skyline = Skyline::kCity;
  if (style.surface != Surface::kRoofs && style.skyline == Skyline::kCity) style.rise = rng.uniform(0.05F, 0.2F);
  style.rise = style.skyline == Skyline::kMountains ? rng.uniform(0.08F, 0.2F) : rng.uniform(0.03F, 0.15F);
  style.frequency = rng.uniform(1.5F, 5);
  style.brightness = rng.chance(0.25F) ? rng.uniform(0.05F, 0.4F) : rng.uniform(0.7F, 1.4F);
  if (rng.chance(0.08F)) {
    style.side_tree = rng.uniform(0.15F, 0.32F);
    style.side = rng.uniform(-0.7F, 0.7F);
  }
  const bool coloured = style.surface == Surface::kGrass || style.surface == Surface::kSea;
  if (coloured) style.tint = {rng.uniform(0.7F, 1.3F), rng.uniform(0.85F, 1.15F), rng.uniform(0.8F, 1.3F)};
  const bool beach = style.surface == Surface::kSand && rng.chance(0.8F);
  if (beach || rng.chance(0.06F)) style.shore = rng.uniform(0.05F, 0.35F);
  if (style.surface == Surface::kGrass && rng.chance(0.25F)) {
    style.flowers = rng.uniform(0.3F, 0.6F);
    style.bloom =
        pick(rng, std::array{Color{1, 0.75F, 0.05F}, Color{1, 1, 1}, Color{0.9F, 0.1F, 0.15F}, Color{0.8F, 0.25F, 0.6F}});
  }
  return style;
}

Film draw_film(Rng& rng, Label label, bool sun_in_picture) {
  Film film;
  film.exposure = 0.35F * rng.normal();
  film.contrast = rng.uniform(0.9F, 1.3F);
  const float warm = 0.05F * rng.normal();
  film.balance = {1 + warm, 1 + 0.02F * rng.normal(), 1 - warm};
  film.saturation = rng.uniform(1.0F, 1.7F);
  // Who photographs the sun exposes for it.
  if (sun_in_picture) film.exposure -= rng.uniform(0, 0.9F);
  film.vignette = rng.chance(0.5F) ? rng.uniform(0.05F, 0.4F) : 0;
  film.noise = rng.uniform(0, 3);
  if (label == Label::kCloudy) {
    // Dull days: less colour, and more often a picture that is kept dark.
    film.saturation = rng.chance(0.08F) ? 0 : rng.uniform(0.3F, 1.1F);
    film.exposure -= rng.uniform(0, 1);
  }
  return film;
}

CloudStyle style_of(CloudKind kind, Rng& rng) {
  CloudStyle style;
  style.kind = kind;
  style.drift = {rng.uniform(-60, 60), rng.uniform(-60, 60)};
  style.turn = rng.uniform(0, kTurn);
  switch (kind) {
    case CloudKind::kCumulus:
      style.scale = rng.uniform(0.7F, 2.2F);
      style.roundness = rng.uniform(0.12F, 0.4F);
      style.softness = rng.uniform(0.06F, 0.25F);
      style.darkness = rng.uniform(0.1F, 0.6F);
      break;
    case CloudKind::kAltocumulus:
      style.scale = rng.uniform(1.5F, 4);
      style.roundness = rng.uniform(0.05F, 0.2F);
      style.softness = rng.uniform(0.12F, 0.3F);
      style.darkness = rng.uniform(0, 0.3F);
      style.opacity = rng.uniform(0.85F, 1);
      style.stretch = rng.uniform(1, 2);
      break;
    case CloudKind::kStratocumulus:
      style.scale = rng.uniform(0.5F, 1.6F);
      style.roundness = rng.uniform(0.05F, 0.25F);
      style.softness = rng.uniform(0.12F, 0.4F);
      style.darkness = rng.uniform(0.3F, 0.8F);
      style.stretch = rng.uniform(1, 2.5F);
      break;
    case CloudKind::kCirrus:
      style.scale = rng.uniform(0.8F, 2);
      style.roundness = rng.uniform(0.08F, 0.3F);
      style.softness = rng.uniform(0.4F, 0.9F);
      style.darkness = 0;
      style.opacity = rng.uniform(0.35F, 0.75F);
      style.stretch = rng.uniform(2.5F, 7);
      break;
    case CloudKind::kStratus:
      style.scale = rng.uniform(0.4F, 1.2F);
      style.roundness = rng.uniform(0.05F, 0.2F);
      style.softness = 0.5F;
      style.darkness = rng.uniform(0.05F, 0.5F);
      style.stretch = rng.uniform(1, 3);
      break;
    case CloudKind::kStorm:
      style.scale = rng.uniform(0.5F, 1.4F);
      style.roundness = rng.uniform(0.05F, 0.25F);
      style.softness = rng.uniform(0.2F, 0.5F);
      style.darkness = rng.uniform(0.7F, 1);
      style.stretch = rng.uniform(1, 2.5F);
      style.tint = {rng.uniform(0.8F, 1), rng.uniform(0.88F, 1), rng.uniform(0.95F, 1.12F)};
      break;
  }
  return style;
}

// What a label's sky may look like: the kind and cover of its layers, the farthest first.
std::vector<CloudStyle> draw_clouds(Rng& rng, Label label, bool sun_in_picture) {
  std::vector<CloudStyle> styles;
  const auto add = [&](CloudKind kind, float cover) {
    styles.push_back(style_of(kind, rng));
    styles.back().cover = cover;
  };
  switch (label) {
    case Label::kClear:
      if (rng.chance(0.3F)) add(CloudKind::kCirrus, rng.uniform(0.05F, 0.3F));
      if (rng.chance(0.8F)) add(CloudKind::kCumulus, rng.uniform(0.02F, sun_in_picture ? 0.3F : 0.12F));
      break;
    case Label::kSemiClear:
      add(pick(rng, std::array{CloudKind::kCumulus, CloudKind::kCumulus, CloudKind::kCumulus, CloudKind::kAltocumulus,
                               CloudKind::kStratocumulus}),
          rng.uniform(0.5F, 0.72F));
      break;
    case Label::kCloudy:
      if (rng.chance(0.5F)) {
        add(CloudKind::kStratus, 1);
      }
      if (styles.empty() || rng.chance(0.7F)) {
        const bool sheet = !styles.empty();
        add(pick(rng, std::array{CloudKind::kStratocumulus, CloudKind::kStorm}),
            sheet ? rng.uniform(0.3F, 1) : rng.uniform(0.97F, 1.02F));
      }
      break;
  }
  return styles;
}

Contrail draw_contrail(Rng& rng) {
  Contrail trail;
  trail.start = {rng.uniform(-1.5F, 1.5F), rng.uniform(0.8F, 3)};
  trail.turn = rng.uniform(0, kTurn);
  trail.length = rng.uniform(1, 4);
  trail.width = rng.uniform(0.008F, 0.03F);
  trail.opacity = rng.uniform(0.3F, 0.8F);
  return trail;
}

}  // namespace

std::string_view name_of(Label label) {
  switch (label) {
    case Label::kClear: return "clear";
    case Label::kSemiClear: return "semi-clear";
    case Label::kCloudy: return "cloudy";
  }
  return "";
}

CoverRange cover_range(Label label) {
  switch (label) {
    case Label::kClear: return {0, 0.28F};
    case Label::kSemiClear: return {0.48F, 0.75F};
    case Label::kCloudy: return {0.95F, 1};
  }
  return {};
}

Scene draw_scene(Label label, int width, int height, std::uint64_t seed, std::uint32_t item, std::uint32_t attempt) {
  Rng rng(seed, attempt, item, kSceneStream);
  const View view = draw_view(rng, width, height);
  // The sun stands free in most clear skies and is veiled in few dull ones. Where half the sky is cloud people photograph
  // the clouds, and a free sun would make even them hesitate over the label.
  const bool seen = label != Label::kSemiClear && rng.chance(label == Label::kClear ? 0.85F : 0.05F);
  const Vec3 sun = draw_sun(rng, view.camera, seen);
  const bool cloudy = label == Label::kCloudy;
  const float haze = cloudy ? rng.uniform(0.2F, 0.8F) : std::pow(rng.uniform(), 2.0F) * 0.3F;
  Scene scene{.camera = view.camera,
              .sky = Sky(sun, haze, rng.uniform(0.75F, 1.8F)),
              .glare = draw_glare(rng),
              .sunlit = cloudy ? rng.uniform(0, 0.4F) : rng.uniform(0.75F, 1),
              .rays = 0,
              .layers = {},
              .contrails = {},
              .ground = Ground(draw_ground(rng, label), Rng(seed, attempt, item, kGroundStream)),
              .film = draw_film(rng, label, seen),
              .seed = seed,
              .item = item};
  if (seen && rng.chance(0.35F)) scene.rays = rng.uniform(0.1F, 0.5F);
  std::uint32_t stream = kLayerStream;
  for (const CloudStyle& style : draw_clouds(rng, label, seen)) {
    scene.layers.emplace_back(style, Rng(seed, attempt, item, stream++)).settle(scene.camera);
  }
  if (!cloudy && rng.chance(0.12F)) scene.contrails.push_back(draw_contrail(rng));
  return scene;
}

Scene timelapse_scene(int width, int height, std::uint64_t seed, int index, int count) {
  // Everything but the weather is drawn once, from the same stream for every frame.
  Rng rng(seed, 0, 0, kSceneStream);
  const float t = count > 1 ? static_cast<float>(index) / static_cast<float>(count - 1) : 0;
  const float field_of_view = radians(75);
  const float focal = 0.5F * static_cast<float>(width) / std::tan(0.5F * field_of_view);
  const Camera camera(width, height, field_of_view, std::atan(0.3F * static_cast<float>(height) / focal), 0);
  const float elevation = radians(mix(38, 24, t));
  const float closing = smoothstep(0.5F, 0.9F, t);
  GroundStyle ground;
  ground.skyline = Skyline::kTrees;
  ground.rise = 0.07F;
  Film film;
  film.saturation = mix(1.2F, 0.5F, closing);
  film.exposure = mix(0, -0.7F, closing);
  film.noise = 1.5F;
  Glare glare;
  glare.disc = 0.015F;
  glare.star = 0.6F;
  glare.points = 12;
  Scene scene{.camera = camera,
              .sky = Sky(direction_of(radians(mix(-12, 10, t)), elevation), mix(0.1F, 0.5F, t), 1.2F),
              .glare = glare,
              .sunlit = mix(1, 0.1F, closing),
              .rays = 0,
              .layers = {},
              .contrails = {},
              .ground = Ground(ground, Rng(seed, 0, 0, kGroundStream)),
              .film = film,
              .seed = seed,
              .item = static_cast<std::uint32_t>(index)};
  // High sheet that closes late, and heaps that grow from the start; both carried by the wind.
  CloudStyle sheet = style_of(CloudKind::kStratus, rng);
  CloudStyle heaps = style_of(CloudKind::kCumulus, rng);
  sheet.opacity = closing;
  sheet.cover = 1;
  sheet.darkness = 0.4F;
  heaps.scale = 1.3F;
  heaps.roundness = 0.2F;
  heaps.softness = mix(0.2F, 0.4F, closing);
  heaps.cover = smoothstep(0, 0.8F, t) * 0.98F;
  heaps.darkness = mix(0.2F, 0.85F, smoothstep(0.4F, 1, t));
  heaps.drift.x += 1.2F * t;
  sheet.drift.x += 0.4F * t;
  std::uint32_t stream = kLayerStream;
  for (const CloudStyle& style : {sheet, heaps}) {
    scene.layers.emplace_back(style, Rng(seed, 0, 0, stream++)).settle(scene.camera);
  }
  return scene;
}

}  // namespace skies
