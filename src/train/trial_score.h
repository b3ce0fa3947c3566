// Fovea: how logits of photos that were kept out do, photo by photo.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>

#include "train/inference.h"
#include "train/recipe.h"

namespace fovea::training {

/// Of softmax probabilities at the temperature that suits these photos best, so that ways are not told apart by how sure they
/// sound. `labels`: one per row.
[[nodiscard]] TrialScore score_of_classes(Table logits, std::span<const std::int32_t> labels);

/// With any number of labels, `targets` (N, K): losses are summed over the labels, and `accuracy` is the mean average precision.
[[nodiscard]] TrialScore score_of_label_sets(const Table& logits, std::span<const std::uint8_t> targets);

}  // namespace fovea::training
