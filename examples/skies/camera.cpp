// SPDX-License-Identifier: Apache-2.0
#include "camera.h"

#include <array>
#include <cmath>
#include <cstdint>

namespace skies {
namespace {

// Grey of the world average after exposure, in linear light: mid grey lifted, as skies are bright.
constexpr float kKey = 0.30F;
constexpr int kCurveSteps = 4096;
constexpr float kCurveEnd = 4;

float srgb(float linear) { return linear <= 0.0031308F ? 12.92F * linear : 1.055F * std::pow(linear, 1 / 2.4F) - 0.055F; }

// Linear light in [0, kCurveEnd] to 8-bit levels: a shoulder for what is bright, contrast about mid grey, sRGB.
std::array<float, kCurveSteps + 1> tone_curve(float contrast) {
  std::array<float, kCurveSteps + 1> curve{};
  for (int i = 0; i <= kCurveSteps; ++i) {
    const float light = kCurveEnd * static_cast<float>(i) / kCurveSteps;
    const float shouldered = light < 0.6F ? light : 0.6F + 0.4F * (1 - std::exp(-(light - 0.6F) / 0.4F));
    const float level = srgb(clamp01(shouldered));
    curve[static_cast<std::size_t>(i)] = 255 * clamp01(0.5F + (level - 0.5F) * contrast);
  }
  return curve;
}

// The geometric mean, so that the sun does not darken all the rest.
float log_average(const std::vector<Color>& light) {
  double sum = 0;
  double count = 0;
  for (std::size_t i = 0; i < light.size(); i += 7, ++count) sum += std::log(std::min(luminance(light[i]), 2.0F) + 1e-3F);
  return static_cast<float>(std::exp(sum / count));
}

}  // namespace

Camera::Camera(int width, int height, float field_of_view, float pitch, float roll)
    : width_(width), height_(height), focal_(0.5F * static_cast<float>(width) / std::tan(0.5F * field_of_view)) {
  const Vec3 level_up{0, std::cos(pitch), -std::sin(pitch)};
  const Vec3 level_right{1, 0, 0};
  ahead_ = {0, std::sin(pitch), std::cos(pitch)};
  right_ = level_right * std::cos(roll) + level_up * std::sin(roll);
  up_ = level_up * std::cos(roll) - level_right * std::sin(roll);
}

Vec3 Camera::ray(float x, float y) const {
  const float u = x - 0.5F * static_cast<float>(width_);
  const float v = 0.5F * static_cast<float>(height_) - y;
  return normalized(ahead_ * focal_ + right_ * u + up_ * v);
}

Vec2 Camera::project(Vec3 direction) const {
  const float scale = focal_ / std::max(dot(direction, ahead_), 1e-3F);
  return {0.5F * static_cast<float>(width_) + scale * dot(direction, right_),
          0.5F * static_cast<float>(height_) - scale * dot(direction, up_)};
}

fovea::Image develop(const std::vector<Color>& light, int width, int height, const Film& film, fovea::Rng rng) {
  fovea::Image image(width, height);
  const float gain = std::exp2(film.exposure) * kKey / std::max(log_average(light), 0.02F);
  const auto curve = tone_curve(film.contrast);
  const float half_diagonal_squared = 0.25F * static_cast<float>(width * width + height * height);
  for (int y = 0; y < height; ++y) {
    std::uint8_t* out = image.row(y);
    const Color* in = light.data() + static_cast<std::ptrdiff_t>(y) * width;
    const float dy = static_cast<float>(y) - 0.5F * static_cast<float>(height);
    for (int x = 0; x < width; ++x) {
      const float dx = static_cast<float>(x) - 0.5F * static_cast<float>(width);
      const float corner = (dx * dx + dy * dy) / half_diagonal_squared;
      const Color exposed = in[x] * film.balance * (gain * (1 - film.vignette * corner));
      const Color graded = mix(Color{1, 1, 1} * luminance(exposed), exposed, film.saturation);
      // Two draws a pixel: a triangular distribution, near enough to normal, of grain and of one colour.
      const float grain = film.noise * 2.45F * (rng.uniform() + rng.uniform() - 1);
      for (const float channel : {graded.x, graded.y, graded.z}) {
        const auto step = static_cast<std::size_t>(std::clamp(channel, 0.0F, kCurveEnd) * (kCurveSteps / kCurveEnd));
        *out++ = static_cast<std::uint8_t>(std::clamp(curve[step] + grain + 0.5F, 0.0F, 255.0F));
      }
    }
  }
  return image;
}

}  // namespace skies
