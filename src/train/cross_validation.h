// Fovea: how well a last layer does on photos it has not learned from, told from the training photos alone.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "fovea/trainer.h"
#include "train/head_regression.h"

namespace fovea::training {

/// The fold, in [0, folds), of each row: every class spread evenly, and a group (near-duplicate photos) never divided. Depends on
/// seed, labels and groups only. `groups` holds one number per row, or is empty: each row its own group.
[[nodiscard]] std::vector<std::int32_t> stratified_folds(std::span<const std::int32_t> labels,
                                                         std::span<const std::int32_t> groups, int folds, std::uint64_t seed);

/// Of `folds` those that a search of the strength holds out: all, or of a large set fewer, whose photos are then many enough.
[[nodiscard]] int folds_to_try(std::int64_t rows, std::int64_t width, std::int64_t classes, int folds);

struct StrengthPoint {
  double strength = 0;
  HeadRegression::Score held_out;  ///< over the folds that were tried, each predicted by the others
  double standard_error = 0;       ///< of held_out.loss, from the spread between photos
};

struct StrengthSearch {
  std::vector<StrengthPoint> path;  ///< strongest first
  /// The strongest whose held-out loss is within one standard error of the least (the rule of L. Breiman et al., "Classification
  /// and regression trees", 1984): photos of tomorrow differ more than the folds do from each other.
  std::size_t best = 0;
  int folds_tried = 0;
  [[nodiscard]] const StrengthPoint& chosen() const { return path[best]; }
};

/// Goes from strong to weak regularisation, each solution the start of the next, until the held-out loss has risen twice in a
/// row. Holds out the first `tried` folds; without it, as many as folds_to_try says.
[[nodiscard]] StrengthSearch search_strength(const Context& context, const HeadRegression& regression,
                                             std::span<const float> row_weights, std::span<const std::int32_t> folds,
                                             std::optional<int> tried = {});

/// Logits (N, classes) of each row, by a last layer that was fitted to the rows of the other folds.
[[nodiscard]] std::vector<float> held_out_logits(const HeadRegression& regression, std::span<const float> row_weights,
                                                 std::span<const std::int32_t> folds, double strength);

/// The last layer at the strength that cross-validation chooses, solved to the tolerance of LbfgsOptions.
struct FittedHead {
  LinearHead head;
  StrengthSearch search;
  LbfgsResult solution;
  /// Of photos with any number of labels, whose thresholds are fitted to them; else empty.
  std::vector<float> held_out_logits;
  int folds = 0;  ///< that held photos: of few there are fewer than were asked for

  [[nodiscard]] FoldsTried folds_tried() const { return {search.folds_tried, folds}; }
};
[[nodiscard]] FittedHead fit_head(const Context& context, const FeatureSet& set, std::span<const float> row_weights,
                                  std::span<const std::int32_t> folds);

}  // namespace fovea::training
