// Fovea: learning from the features of known photos what is of none of their classes.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/context.h"
#include "model/rejection.h"
#include "train/inference.h"

namespace fovea::training {

/// Mean, basis and rest, from rows of features. Nothing when there are too few rows to tell directions from chance.
[[nodiscard]] std::optional<Rejection> fit_rejection(const Context& context, const Table& features);

/// From rows of logits of photos that the weights did not learn from: photos that they did are surer. Nothing when all are alike.
[[nodiscard]] std::optional<Rejection::Energy> measure_energy(const Table& logits);

/// rejection_score of each row of features and logits.
[[nodiscard]] std::vector<double> rejection_scores(const Context& context, const Rejection& rejection, const Table& features,
                                                   const Table& logits);

/// The score of each row, without energy, by statistics of the other folds; empty when these are too few. As good as new photos,
/// as long as the network itself has not learned from them.
[[nodiscard]] std::vector<double> held_out_scores(const Context& context, const Table& features,
                                                  std::span<const std::int32_t> folds);

/// A score that a new known photo exceeds with a probability of at most `rate`: the ceil((n + 1)(1 - rate))-th smallest of the n
/// scores of photos like it (V. Vovk et al., "Algorithmic learning in a random world", 2005). Nothing when n < 1 / rate - 1: so
/// few photos cannot show it.
[[nodiscard]] std::optional<double> threshold_for(std::vector<double> known, double rate);

/// Of the thresholds from `threshold_for` up, the one that parts the two best: the sum of the wrongly rejected share of `known`
/// and the wrongly accepted share of `none` is least; the highest of equals.
[[nodiscard]] double threshold_between(std::span<const double> known, std::span<const double> none, double lowest);

/// Share of the scores above `threshold`; 0 of none.
[[nodiscard]] double share_above(std::span<const double> scores, double threshold);

/// Probability that a random one of `none` scores higher than a random one of `known`, ties counting half: the area under the
/// receiver operating characteristic.
[[nodiscard]] double area_under_curve(std::span<const double> known, std::span<const double> none);

}  // namespace fovea::training
