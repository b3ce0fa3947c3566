// Fovea: what a last layer is to learn of the photos behind some rows of features.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "data/dataset.h"
#include "train/head_regression.h"
#include "train/inference.h"

namespace fovea::training {

struct RowTargets {
  std::int64_t classes = 0;
  /// Per row, what folds are spread over: the class; with any number of labels the rarest, or `classes` of a photo without.
  std::vector<std::int32_t> labels;
  std::vector<std::uint8_t> targets;  ///< (rows, classes), 0 or 1, with any number of labels; else empty

  /// With the features of the same rows; both must outlive it.
  [[nodiscard]] FeatureSet of(const Table& features) const { return {features.values, labels, features.width, classes, targets}; }
};

/// `index`: of each row its position in `samples`.
[[nodiscard]] RowTargets row_targets(std::span<const std::int32_t> index, std::span<const Sample> samples, int classes,
                                     bool multi_label);

/// The same questions without the classes that no row has; the others are numbered anew, in their order.
[[nodiscard]] RowTargets without_absent_classes(const RowTargets& targets);

}  // namespace fovea::training
