// Fovea: from what a network says to probabilities.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <vector>

namespace fovea {

/// How to read logits as probabilities: softmax(logits / temperature), whose largest then becomes what `map` says of it.
struct Calibration {
  /// Of photos whose largest probability was `stated`, the share `actual` was right. Between knots a straight line, outside the
  /// nearest knot; both ascend.
  struct Knot {
    double stated = 0;
    double actual = 0;
    friend bool operator==(const Knot&, const Knot&) = default;
  };
  double temperature = 1.0;
  std::vector<Knot> map;  ///< none: the softmax stays as it is

  friend bool operator==(const Calibration&, const Calibration&) = default;
};

/// What the map makes of a largest probability.
[[nodiscard]] double mapped(std::span<const Calibration::Knot> map, double stated);

/// At least one logit; computed in double from the largest down. The order of the classes is that of the logits: a largest
/// probability that is to fall is mixed with equal shares for all classes, one that is to rise with certainty of its class.
[[nodiscard]] std::vector<double> probabilities_of(std::span<const float> logits, const Calibration& calibration);

/// 1 / (1 + exp(-logit / temperature)) of each.
[[nodiscard]] std::vector<double> independent_probabilities_of(std::span<const float> logits, double temperature);

}  // namespace fovea
