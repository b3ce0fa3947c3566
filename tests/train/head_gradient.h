// Fovea: the gradient of a last layer's objective against finite differences.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

#include "core/rng.h"
#include "train/head_regression.h"

namespace fovea::training {

/// At random weights, with a row of no weight and a row of a heavy one. `width` and `classes` as in the feature set, at most 16
/// classes. The third derivative of the loss must be at most 1/2 |x|^3, with |x| near 1: the quotient then errs by step^2 / 12 at
/// most, and by the rounding of the logits, 1e-6, over the step.
inline void expect_gradient_of_differences(const HeadRegression& regression, std::vector<float> row_weights, std::int64_t width,
                                           std::int64_t classes) {
  constexpr std::size_t kColumns = 16;  // classes, padded
  auto weights = regression.zero();
  Rng rng(9);
  for (float& w : weights) w = 0.5F * rng.normal();
  auto gradient = regression.zero();
  auto ignored = regression.zero();
  row_weights[3] = 0;
  row_weights[4] = 2.5F;
  regression.evaluate(row_weights, 0.1, weights, gradient);
  const float step = 1e-2F;
  for (std::size_t row = 0; row <= static_cast<std::size_t>(width); ++row) {
    for (std::size_t k = 0; k < static_cast<std::size_t>(classes); ++k) {
      const std::size_t i = row * kColumns + k;
      const float kept = weights[i];
      weights[i] = kept + step;
      const double above = regression.evaluate(row_weights, 0.1, weights, ignored);
      weights[i] = kept - step;
      const double below = regression.evaluate(row_weights, 0.1, weights, ignored);
      weights[i] = kept;
      EXPECT_NEAR(gradient[i], (above - below) / (2 * step), step * step / 12 + 1e-6 / step) << row << ' ' << k;
    }
  }
}

}  // namespace fovea::training
