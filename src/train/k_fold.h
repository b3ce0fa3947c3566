// Fovea: k-fold cross-validation, for the report: how good a last layer, or the whole recipe, is on photos that it has not seen.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/context.h"
#include "data/dataset.h"
#include "fovea/trainer.h"
#include "train/head_regression.h"

namespace fovea::training {

/// Mean and standard deviation (of the sample) of the folds' accuracies.
[[nodiscard]] CrossValidation summary_of(std::string what, std::vector<double> accuracies, Measure measure = Measure::kAccuracy);

/// For each fold the accuracy, with targets the mean average precision, of a last layer that the others made, their choice of
/// regularisation included. Spans as in fit_head, `groups` as in stratified_folds.
[[nodiscard]] std::vector<double> cross_validate_head(const Context& context, const FeatureSet& set,
                                                      std::span<const float> row_weights, std::span<const std::int32_t> groups,
                                                      int folds, std::uint64_t seed);

/// The data sets of k runs: each fold of the training photos is the test split of one and the rest its training photos, without
/// a validation split of its own yet; near-duplicates never sit on both sides.
Result<std::vector<Dataset>> split_into_folds(const Context& context, const Dataset& data, int folds, std::uint64_t seed);

}  // namespace fovea::training
