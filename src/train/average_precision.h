// Fovea: how well probabilities put the photos that have a label before those that do not.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>

#include "fovea/interval.h"
#include "train/label_sets.h"

namespace fovea::training {

/// Area under the steps of precision against recall, from the highest score down; equal scores count as one step, as in
/// scikit-learn. 0 without a positive. `scores` and `positive` are of equal length.
[[nodiscard]] double average_precision(std::span<const float> scores, std::span<const std::uint8_t> positive);

/// That of class k.
[[nodiscard]] double average_precision(const LabelSetPredictions& predictions, std::size_t k);

/// Mean over the classes that have photos; 0 of none.
[[nodiscard]] double mean_average_precision(const LabelSetPredictions& predictions);

/// Where 95 % of the mean average precisions of equally many photos, drawn from these with replacement, lie (B. Efron, "Bootstrap
/// methods: another look at the jackknife", 1979; percentiles of 400 draws, always the same). {0, 1} for fewer than two photos.
[[nodiscard]] Interval mean_average_precision_interval(const LabelSetPredictions& predictions);

}  // namespace fovea::training
