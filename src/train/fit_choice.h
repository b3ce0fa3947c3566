// Fovea: how photos should be fitted to the network's input: tried on part of the training photos.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "fovea/trainer.h"
#include "train/cross_validation.h"
#include "train/inference.h"
#include "train/photo_rows.h"
#include "train/recipe.h"

namespace fovea::training {

struct FitTrial {
  Preprocess preprocess;
  TrialScore held_out;     ///< each photo by a last layer of the other folds
  LabelledTable features;  ///< of the photos that took part
};

/// Positions of about `count` of the samples, ascending: every class by its share but at least 4 of it where it has them; of more
/// than 200 classes a random 200.
[[nodiscard]] std::vector<std::int32_t> fit_trial_photos(std::span<const Sample> samples, int classes, std::int64_t count,
                                                         std::uint64_t seed);

/// Every candidate's cross-validated last layer on fit_trial_photos. Each photo is decoded once. `known`, if not null: the
/// features of all samples as the first candidate fits them. How large things appear in the input can decide more than any
/// training.
Result<std::vector<FitTrial>> try_fits(const Context& context, std::span<const Sample> samples, int classes,
                                       std::span<const Preprocess> candidates, std::int64_t photos, Inference& features,
                                       Reporter& reporter, bool strict, std::uint64_t seed, const LabelledTable* known = nullptr,
                                       bool multi_label = false);

/// As best_way: on so few photos most differences are chance, and only what is beyond doubt overrules the first candidate, the
/// crop that backbones are trained with.
[[nodiscard]] std::size_t best_fit(std::span<const FitTrial> trials);

/// What `options.fit` and `options.zoom` leave open, at the input size of `base`, the most usual first; never empty.
[[nodiscard]] std::vector<Preprocess> fit_candidates(const TrainOptions& options, const Preprocess& base);

/// With about 9/7 of the side: 288 for 224.
[[nodiscard]] Preprocess with_larger_input(const Preprocess& base);

/// "crop of 87.5 %", "squash".
[[nodiscard]] std::string describe(const Preprocess& preprocess);
/// "93.1 % right (loss 0.211)".
[[nodiscard]] std::string describe(const TrialScore& score);

}  // namespace fovea::training
