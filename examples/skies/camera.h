// Fovea skies: from pixels to directions, and from light to 8-bit pixels.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "core/rng.h"
#include "image/image.h"
#include "vec.h"

namespace skies {

/// A pinhole camera that looks towards +z, tilted. Angles in radians.
class Camera {
 public:
  Camera(int width, int height, float field_of_view, float pitch, float roll);

  [[nodiscard]] int width() const { return width_; }
  [[nodiscard]] int height() const { return height_; }
  /// Unit direction through a point of the picture, in pixels.
  [[nodiscard]] Vec3 ray(float x, float y) const;
  /// Where a direction ahead of the camera meets the picture, in pixels; may lie outside of it.
  [[nodiscard]] Vec2 project(Vec3 direction) const;

 private:
  int width_;
  int height_;
  float focal_;  // in pixels
  Vec3 right_, up_, ahead_;
};

/// How the camera turns light into a picture.
struct Film {
  float exposure = 0;      ///< stops over the automatic exposure
  float contrast = 1;      ///< 1: as is
  float saturation = 1;    ///< 0: black and white
  Color balance{1, 1, 1};  ///< gain per channel
  float vignette = 0;      ///< light lost in the corners
  float noise = 0;         ///< standard deviation, in 8-bit levels
};

/// Exposes (H, W) linear light: automatic exposure, white balance, a film-like curve, sRGB, noise.
[[nodiscard]] fovea::Image develop(const std::vector<Color>& light, int width, int height, const Film& film, fovea::Rng rng);

}  // namespace skies
