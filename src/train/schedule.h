// Fovea: the learning rate over a run.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numbers>

namespace fovea::training {

/// Linear warm-up, then half a cosine down to `floor` of the peak (I. Loshchilov, F. Hutter, "SGDR", ICLR 2017).
struct Schedule {
  double peak = 1e-3;
  std::int64_t steps = 1;
  std::int64_t warmup = 0;  ///< steps; the last of them is at the peak
  double floor = 0.01;      ///< share of the peak at the last step

  /// Rate of `step`, counted from 0; past the end it stays at the floor.
  [[nodiscard]] double rate(std::int64_t step) const {
    if (step < warmup) return peak * static_cast<double>(step + 1) / static_cast<double>(warmup);
    const std::int64_t length = std::max<std::int64_t>(1, steps - warmup - 1);
    const double progress = std::min(1.0, static_cast<double>(step - warmup) / static_cast<double>(length));
    return peak * (floor + (1 - floor) * 0.5 * (1 + std::cos(std::numbers::pi * progress)));
  }
};

}  // namespace fovea::training
