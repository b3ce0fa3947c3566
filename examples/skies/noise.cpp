// SPDX-License-Identifier: Apache-2.0
#include "noise.h"

#include <cmath>
#include <numbers>
#include <numeric>
#include <utility>

namespace skies {
namespace {

// From one octave to the next: twice the frequency, and turned, so that the lattices do not line up.
constexpr Vec2 next_octave(Vec2 p) { return {1.62F * p.x + 1.18F * p.y + 17.3F, -1.18F * p.x + 1.62F * p.y + 5.1F}; }

int floor_of(float value) {
  const int truncated = static_cast<int>(value);
  return truncated - (value < static_cast<float>(truncated) ? 1 : 0);
}

constexpr float fade(float t) { return t * t * t * (t * (t * 6 - 15) + 10); }

}  // namespace

Noise::Noise(fovea::Rng rng) {
  std::iota(permutation_.begin(), permutation_.begin() + 256, std::uint8_t{0});
  for (std::uint32_t i = 255; i > 0; --i) std::swap(permutation_[i], permutation_[rng.below(i + 1)]);
  for (std::size_t i = 0; i < 256; ++i) permutation_[256 + i] = permutation_[i];
  for (Vec2& gradient : gradients_) {
    const float angle = rng.uniform(0, 2 * std::numbers::pi_v<float>);
    gradient = {std::cos(angle), std::sin(angle)};
  }
}

float Noise::at(Vec2 p) const {
  const int left = floor_of(p.x);
  const int top = floor_of(p.y);
  const float x = p.x - static_cast<float>(left);
  const float y = p.y - static_cast<float>(top);
  const auto column = static_cast<std::size_t>(left & 255);
  const auto row = static_cast<std::size_t>(top & 255);
  const auto corner = [&](std::size_t dx, std::size_t dy) {
    const Vec2 gradient = gradients_[permutation_[permutation_[column + dx] + row + dy]];
    return gradient.x * (x - static_cast<float>(dx)) + gradient.y * (y - static_cast<float>(dy));
  };
  const float u = fade(x);
  const float v = fade(y);
  // 2-D gradient noise with unit gradients stays within 1 / sqrt(2).
  return std::numbers::sqrt2_v<float> * mix(mix(corner(0, 0), corner(1, 0), u), mix(corner(0, 1), corner(1, 1), u), v);
}

float Noise::fractal(Vec2 p, int octaves, float gain) const {
  float sum = 0;
  float weight = 1;
  for (int i = 0; i < octaves; ++i) {
    sum += weight * at(p);
    weight *= gain;
    p = next_octave(p);
  }
  return sum * (1 - gain) * 1.4F;
}

float Noise::billow(Vec2 p, int octaves, float gain) const {
  float sum = 0;
  float weight = 1;
  for (int i = 0; i < octaves; ++i) {
    sum += weight * (2 * std::abs(at(p)) - 0.6F);
    weight *= gain;
    p = next_octave(p);
  }
  return sum * (1 - gain) * 1.4F;
}

Vec2 Noise::warped(Vec2 p, float strength) const {
  return {p.x + strength * fractal({p.x + 31.7F, p.y + 11.2F}, 2), p.y + strength * fractal({p.x - 9.4F, p.y + 47.9F}, 2)};
}

}  // namespace skies
