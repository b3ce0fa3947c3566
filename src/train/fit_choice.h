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

namespace fovea::training {

struct FitTrial {
  Preprocess preprocess;
  SoftmaxRegression::Score held_out;
  LabelledTable features;  ///< of the photos that took part
};

/// Every candidate's cross-validated last layer on about `photos` of the samples, spread evenly over the classes. Each photo
/// is decoded once. `known`, if not null: the features of all samples as the first candidate fits them. How large things appear
/// in the input can decide more than any training.
Result<std::vector<FitTrial>> try_fits(const Context& context, std::span<const Sample> samples, int classes,
                                       std::span<const Preprocess> candidates, std::int64_t photos, Inference& features,
                                       Reporter& reporter, bool strict, std::uint64_t seed, const LabelledTable* known = nullptr);

/// The first candidate whose held-out loss is within one standard error of the least: a trial on few photos must be clear before
/// it overrules the crop that backbones are trained with.
[[nodiscard]] std::size_t best_fit(std::span<const FitTrial> trials);

/// The fit that was asked for; anything but kAuto.
[[nodiscard]] Fit fit_of(FitChoice choice);

/// Crop, squash and letterbox at the input size of `base`.
[[nodiscard]] std::vector<Preprocess> fit_candidates(const Preprocess& base);

}  // namespace fovea::training
