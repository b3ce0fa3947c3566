// Fovea: the numbers that the recorded networks start from, and summaries of the tensors they end with: as tools/make_goldens.py
// has them. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <span>
#include <string_view>
#include <vector>

#include "core/shape.h"

namespace fovea::test {

/// Uniform in [low, high), from the stream of that name.
[[nodiscard]] std::vector<float> uniform_values(std::string_view name, std::int64_t count, float low, float high);

/// What the tensor of that name and shape begins with.
[[nodiscard]] std::vector<float> initial_value(std::string_view name, const Shape& shape);

inline constexpr std::size_t kProjections = 16;

/// A tensor seen from 16 random directions: sums of its elements with random signs.
using Projections = std::array<double, kProjections>;
[[nodiscard]] Projections project(std::span<const float> values);

/// The mean square of the projections of a difference estimates its squared norm without bias (the signs are independent); it is
/// below a quarter of the truth once in a thousand times (chi-square, 16 degrees of freedom).
[[nodiscard]] double distance(const Projections& a, const Projections& b);

}  // namespace fovea::test
