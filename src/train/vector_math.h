// Fovea: sums over long vectors of floats, with the same bits for any number of threads.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

#include "core/context.h"

namespace fovea::training {

/// sum_i a_i b_i in double precision: partial sums over blocks of fixed length, added in order. Equal lengths.
[[nodiscard]] double dot(const Context& context, std::span<const float> a, std::span<const float> b);

/// y = x. Equal lengths.
void copy(const Context& context, std::span<const float> x, std::span<float> y);

/// y += alpha x. Equal lengths.
void add_scaled(const Context& context, float alpha, std::span<const float> x, std::span<float> y);

}  // namespace fovea::training
