// Fovea: probabilities that do not flicker.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <vector>

namespace fovea::annotation {

/// Exponential smoothing over uneven steps of time: after dt seconds the old value has the weight exp(-dt / time_constant). The
/// first values are taken as they come, so that a video does not begin with a slope. Sums stay what they were.
class Smoother {
 public:
  /// `time_constant` in seconds; 0 gives back what came.
  explicit Smoother(double time_constant) : time_constant_(time_constant) {}

  /// `seconds` do not go back; a step back counts as none.
  std::span<const double> add(double seconds, std::span<const double> values);

 private:
  double time_constant_;
  double last_ = 0.0;
  std::vector<double> smooth_;
};

}  // namespace fovea::annotation
