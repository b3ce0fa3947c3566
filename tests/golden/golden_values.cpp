// SPDX-License-Identifier: Apache-2.0
#include "golden/golden_values.h"

#include <cmath>

#include "core/rng.h"

namespace fovea::test {
namespace {

/// FNV-1a, 64 bits.
std::uint64_t key_of(std::string_view name) {
  std::uint64_t hash = 0xCBF29CE484222325;
  for (const char letter : name) hash = (hash ^ static_cast<unsigned char>(letter)) * 0x100000001B3;
  return hash;
}

float bound_of(double spread, const Shape& weight) {
  const double fan_in = static_cast<double>(weight.elements()) / static_cast<double>(weight[0]);
  return static_cast<float>(std::sqrt(spread / fan_in));
}

}  // namespace

std::vector<float> uniform_values(std::string_view name, std::int64_t count, float low, float high) {
  Rng rng(key_of(name));
  std::vector<float> values(static_cast<std::size_t>(count));
  for (float& value : values) value = rng.uniform(low, high);
  return values;
}

std::vector<float> initial_value(std::string_view name, const Shape& shape) {
  const auto uniform = [&](float low, float high) { return uniform_values(name, shape.elements(), low, high); };
  if (name.ends_with("running_mean")) return uniform(-0.25F, 0.25F);
  if (name.ends_with("running_var")) return uniform(0.75F, 1.5F);
  if (shape.rank() == 4) return uniform(-bound_of(6, shape), bound_of(6, shape));
  if (shape.rank() == 2) return uniform(-bound_of(3, shape), bound_of(3, shape));
  if (name.ends_with("weight")) return uniform(0.5F, 1.0F);
  return uniform(1.5F, 3.5F);
}

Projections project(std::span<const float> values) {
  Rng rng(key_of("projection"));
  Projections sums{};
  for (const float value : values) {
    const std::uint32_t bits = rng();
    for (std::size_t i = 0; i < kProjections; ++i) sums[i] += (bits >> i & 1) != 0 ? -static_cast<double>(value) : value;
  }
  return sums;
}

double distance(const Projections& a, const Projections& b) {
  double squares = 0;
  for (std::size_t i = 0; i < kProjections; ++i) squares += (a[i] - b[i]) * (a[i] - b[i]);
  return std::sqrt(squares / kProjections);
}

}  // namespace fovea::test
