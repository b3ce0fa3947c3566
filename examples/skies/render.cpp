// SPDX-License-Identifier: Apache-2.0
#include "render.h"

#include <cmath>

#include "core/error.h"

namespace skies {
namespace {

// Purposes of random streams within one item.
constexpr std::uint32_t kFilmStream = 1;
constexpr std::uint32_t kEffectsStream = 2;

// How much of the sun's disc the clouds leave free, averaged over its neighbourhood so that the glow does not flicker.
float sun_free(const Scene& scene) {
  float sum = 0;
  constexpr int kSide = 5;
  constexpr int kMiddle = kSide / 2;
  for (int i = 0; i < kSide * kSide; ++i) {
    const int row = i / kSide;
    const int column = i % kSide;
    const float dx = 0.012F * static_cast<float>(column - kMiddle);
    const float dy = 0.012F * static_cast<float>(row - kMiddle);
    const Vec3 direction = normalized(scene.sky.sun() + Vec3{dx, dy, 0});
    float free = 1;
    for (const CloudLayer& layer : scene.layers) free *= 1 - layer.opacity(direction);
    sum += free;
  }
  return sum / (kSide * kSide);
}

// What of the sky's light is the same for all pixels.
struct Air {
  const Scene& scene;
  Noise noise;
  Vec2 sun;  // in the picture, pixels
  float sun_free;
  Color overhead;  // light of the covered sky on the ground

  explicit Air(const Scene& scene_in)
      : scene(scene_in),
        noise(fovea::Rng(scene_in.seed, 0, scene_in.item, kEffectsStream)),
        sun(scene_in.camera.project(scene_in.sky.sun())),
        sun_free(scene_in.ground.hides(scene_in.sky.sun()) ? 0 : skies::sun_free(scene_in)),
        overhead(mix(Color{0.30F, 0.31F, 0.33F}, scene_in.sky.ambient(), scene_in.sunlit)) {}

  struct Light {
    Color color;
    float cover = 0;
  };
  [[nodiscard]] Light at(Vec3 direction, float x, float y) const;
  [[nodiscard]] Color glare_at(Vec3 direction, float x, float y, float opacity) const;
};

Color Air::glare_at(Vec3 direction, float x, float y, float opacity) const {
  const float toward = dot(direction, scene.sky.sun());
  if (toward < 0.5F) return {};
  const float angle = std::acos(std::min(toward, 1.0F));
  const float around = std::atan2(y - sun.y, x - sun.x);
  // The disc is hidden pixel by pixel; its glow arises in the lens and in the air before the clouds.
  const float free = mix(sun_free, 1 - opacity, std::exp(-angle / (3 * scene.glare.disc)));
  Color light = scene.sky.sunlight() * (glare(scene.glare, angle, around) * free);
  if (scene.rays > 0) {
    const float beam = 0.5F + 0.8F * noise.fractal({3.2F * std::cos(around) + 9, 3.2F * std::sin(around)}, 4, 0.6F);
    light = light + scene.sky.sunlight() * (scene.rays * clamp01(beam) * std::exp(-3.5F * angle));
  }
  return light;
}

Air::Light Air::at(Vec3 direction, float x, float y) const {
  Color color = scene.sky.radiance(direction);
  float free = 1;
  for (const Contrail& trail : scene.contrails) {
    const float opacity = trail.opacity_at(direction, noise);
    color = mix(color, scene.sky.sunlight() * 0.95F, opacity);
    free *= 1 - opacity;
  }
  for (const CloudLayer& layer : scene.layers) {
    const CloudSample cloud = layer.sample(scene.sky, scene.sunlit, direction);
    color = mix(color, cloud.light, cloud.opacity);
    free *= 1 - cloud.opacity;
  }
  return {color + glare_at(direction, x, y, 1 - free), 1 - free};
}

}  // namespace

namespace {

// The cover of a scene, near enough to choose by, at a fraction of the price of rendering it.
float estimated_cover(const Scene& scene) {
  constexpr int kGrid = 48;
  float sum = 0;
  int sky = 0;
  for (int i = 0; i < kGrid * kGrid; ++i) {
    const int row = i / kGrid;
    const int column = i % kGrid;
    const float u = (static_cast<float>(column) + 0.5F) / kGrid;
    const float v = (static_cast<float>(row) + 0.5F) / kGrid;
    const Vec3 direction =
        scene.camera.ray(u * static_cast<float>(scene.camera.width()), v * static_cast<float>(scene.camera.height()));
    if (scene.ground.hides(direction)) continue;
    float free = 1;
    for (const CloudLayer& layer : scene.layers) free *= 1 - layer.opacity(direction);
    sum += 1 - free;
    ++sky;
  }
  // A picture without sky belongs to no label.
  return sky > kGrid * kGrid / 10 ? sum / static_cast<float>(sky) : -1;
}

}  // namespace

Picture render(const Scene& scene) {
  const int width = scene.camera.width();
  const int height = scene.camera.height();
  const Air air(scene);
  std::vector<Color> light;
  light.reserve(static_cast<std::size_t>(width) * static_cast<std::size_t>(height));
  double cover = 0;
  int sky_pixels = 0;
  for (int row = 0; row < height; ++row) {
    for (int column = 0; column < width; ++column) {
      const float x = static_cast<float>(column) + 0.5F;
      const float y = static_cast<float>(row) + 0.5F;
      const Vec3 direction = scene.camera.ray(x, y);
      if (scene.ground.hides(direction)) {
        light.push_back(scene.ground.light(scene.sky, air.overhead, scene.sunlit, direction) +
                        air.glare_at(direction, x, y, 1) * 0.4F);
        continue;
      }
      const auto sky = air.at(direction, x, y);
      light.push_back(sky.color);
      cover += static_cast<double>(sky.cover);
      ++sky_pixels;
    }
  }
  return {develop(light, width, height, scene.film, fovea::Rng(scene.seed, 0, scene.item, kFilmStream)),
          sky_pixels > 0 ? static_cast<float>(cover / sky_pixels) : 0};
}

fovea::Result<Picture> paint(Label label, int width, int height, std::uint64_t seed, std::uint32_t item) {
  // Well over nine in ten scenes fit; so many misses in a row mean a label that cannot be drawn.
  constexpr std::uint32_t kAttempts = 64;
  const CoverRange range = cover_range(label);
  for (std::uint32_t attempt = 0; attempt < kAttempts; ++attempt) {
    const Scene scene = draw_scene(label, width, height, seed, item, attempt);
    if (range.holds(estimated_cover(scene))) return render(scene);
  }
  return fovea::fail(fovea::Error::Kind::kUsage,
                     "picture {}: no '{}' sky of {}x{} pixels in {} attempts; try another seed or size", item, name_of(label),
                     width, height, kAttempts);
}

}  // namespace skies
