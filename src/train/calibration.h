// Fovea: probabilities that mean what they say.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "train/inference.h"

namespace fovea::training {

/// The T of least mean -log softmax(logits / T)[label], between 1/8 and 8 (temperature scaling: C. Guo et al., "On calibration of
/// modern neural networks", ICML 2017). 1 when there are no rows. Convex in 1/T: found by golden-section search.
[[nodiscard]] double fit_temperature(const Table& logits, std::span<const std::int32_t> labels);

/// Rows of softmax(logits / temperature).
[[nodiscard]] std::vector<float> probabilities_of(const Table& logits, double temperature);

}  // namespace fovea::training
