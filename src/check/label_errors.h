// Fovea: labels that the features of a pretrained network contradict.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "train/inference.h"
#include "train/softmax_regression.h"

namespace fovea::checking {

/// Each photo as a last layer sees it that was fitted to the other folds: probabilities (N, K), calibrated by temperature.
/// `groups` holds a number per photo: near-duplicates, which stay in one fold.
[[nodiscard]] training::Table held_out_probabilities(const Context& context, const training::FeatureSet& set,
                                                     std::span<const std::int32_t> groups, std::uint64_t seed);

/// A class needs photos in every fold to be judged: this many different ones.
inline constexpr int kFolds = 5;
[[nodiscard]] std::vector<bool> judged_classes(std::span<const std::int32_t> labels, std::span<const std::int32_t> groups,
                                               std::int64_t classes);

struct SuspectLabel {
  std::int32_t row = 0;
  std::int32_t predicted = 0;
  float probability = 0;        ///< of `predicted`
  float label_probability = 0;  ///< of the given label
};

/// Confident learning (C. Northcutt, L. Jiang, I. Chuang, "Confident learning: estimating uncertainty in dataset labels", JAIR
/// 2021): class k is claimed for a photo if its probability reaches the mean probability of k over the photos labelled k, the
/// most probable of such classes. The claims, scaled to the photos of a label, estimate how many of label i show k, and so many
/// are suspect: those most probably k by p(i) - p(k) ("prune by noise rate"). The threshold follows each class, so one that the
/// network is never sure of does not fill the list. Most suspicious first. Classes that are not `judged` are neither accused nor
/// accuse.
[[nodiscard]] std::vector<SuspectLabel> find_label_errors(const training::Table& probabilities,
                                                          std::span<const std::int32_t> labels, const std::vector<bool>& judged);

/// The same of photos with any number of labels: `set.targets` says which.
[[nodiscard]] training::Table held_out_label_probabilities(const Context& context, const training::FeatureSet& set,
                                                           std::span<const std::int32_t> groups, std::uint64_t seed);

/// Each class a question of its own, with a yes and a no, both of which need photos to be judged by.
[[nodiscard]] std::vector<bool> judged_labels(std::span<const std::uint8_t> targets, std::span<const std::int32_t> groups,
                                              std::int64_t classes);

/// A label that a photo has and does not show, or shows and does not have.
struct SuspectTarget {
  std::int32_t row = 0;
  std::int32_t label = 0;
  bool missing = false;
  float probability = 0;  ///< that it is so
};

/// find_label_errors of every class's yes and no (A. Thyagarajan, E. Snorrason, C. Northcutt, J. Mueller, "Identifying incorrect
/// annotations in multi-label classification data", 2022). `probabilities` and `targets` are (N, K). Most suspicious first.
[[nodiscard]] std::vector<SuspectTarget> find_target_errors(const training::Table& probabilities,
                                                            std::span<const std::uint8_t> targets,
                                                            const std::vector<bool>& judged);

}  // namespace fovea::checking
