// Fovea: from which probability on a photo has a label.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "train/label_sets.h"

namespace fovea::training {

/// For each class the threshold of the best F1 on these predictions, which the network must not have learned from: midway between
/// the two probabilities that it parts; of equals the one nearest to 1/2. In (0, 1). A class with few photos has the threshold
/// that is best for all classes together: its own would be chance. (Z. Lipton, C. Elkan, B. Naryanaswamy, "Optimal thresholding
/// of classifiers to maximize F1 measure", 2014: half the F1 that is reached, and so seldom 1/2.)
[[nodiscard]] std::vector<double> fit_thresholds(const LabelSetPredictions& predictions);

/// The answers (N, K) to the photos of each fold by thresholds that were fitted to the other folds: what new photos may expect.
[[nodiscard]] std::vector<std::uint8_t> decide_by_other_folds(const LabelSetPredictions& predictions,
                                                              std::span<const std::int32_t> folds);

}  // namespace fovea::training
