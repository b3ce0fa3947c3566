// Fovea skies: three floats, as a direction (x right, y up, z ahead) or as linear RGB light.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>

namespace skies {

struct Vec2 {
  float x = 0;
  float y = 0;
};
constexpr Vec2 operator+(Vec2 a, Vec2 b) { return {a.x + b.x, a.y + b.y}; }
constexpr Vec2 operator*(Vec2 a, float s) { return {a.x * s, a.y * s}; }

struct Vec3 {
  float x = 0;
  float y = 0;
  float z = 0;
};
constexpr Vec3 operator+(Vec3 a, Vec3 b) { return {a.x + b.x, a.y + b.y, a.z + b.z}; }
constexpr Vec3 operator-(Vec3 a, Vec3 b) { return {a.x - b.x, a.y - b.y, a.z - b.z}; }
constexpr Vec3 operator*(Vec3 a, Vec3 b) { return {a.x * b.x, a.y * b.y, a.z * b.z}; }
constexpr Vec3 operator*(Vec3 a, float s) { return {a.x * s, a.y * s, a.z * s}; }
constexpr float dot(Vec3 a, Vec3 b) { return a.x * b.x + a.y * b.y + a.z * b.z; }
inline Vec3 normalized(Vec3 a) { return a * (1 / std::sqrt(std::max(dot(a, a), 1e-12F))); }

using Color = Vec3;
/// Rec. 709 luminance of linear RGB.
constexpr float luminance(Color c) { return 0.2126F * c.x + 0.7152F * c.y + 0.0722F * c.z; }

constexpr float mix(float a, float b, float t) { return a + (b - a) * t; }
constexpr Color mix(Color a, Color b, float t) { return a + (b - a) * t; }
constexpr float clamp01(float value) { return std::clamp(value, 0.0F, 1.0F); }
/// 0 below `low`, 1 above `high`, smooth between.
constexpr float smoothstep(float low, float high, float value) {
  const float t = clamp01((value - low) / (high - low));
  return t * t * (3 - 2 * t);
}
constexpr float radians(float degrees) { return degrees * 0.0174532925F; }

}  // namespace skies
