// Fovea: from what a network says to probabilities.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <vector>

namespace fovea {

/// softmax(logits / temperature), computed in double from the largest down. At least one logit.
[[nodiscard]] std::vector<double> probabilities_of(std::span<const float> logits, double temperature);

}  // namespace fovea
