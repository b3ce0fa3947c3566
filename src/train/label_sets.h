// Fovea: photos with any number of labels: their targets, and figures that tell how good predictions of them are.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "data/dataset.h"
#include "fovea/evaluate.h"
#include "fovea/multi_label.h"
#include "train/inference.h"

namespace fovea::training {

/// (rows, classes), 0 or 1: whether the sample that a row's index names has the label.
[[nodiscard]] std::vector<std::uint8_t> targets_of(std::span<const std::int32_t> index, std::span<const Sample> samples,
                                                   int classes);

/// Rows of independent probabilities (N, K), and which labels the photos have.
struct LabelSetPredictions {
  std::span<const float> probabilities;
  std::span<const std::uint8_t> targets;
  std::size_t classes = 0;
  [[nodiscard]] std::size_t rows() const { return classes == 0 ? 0 : targets.size() / classes; }
};

/// Mean over the photos of -sum_k log of the probability of the truth about label k.
[[nodiscard]] double log_loss(const LabelSetPredictions& predictions);

/// (N, K), 0 or 1: the labels that are answered.
[[nodiscard]] std::vector<std::uint8_t> decide(const LabelSetPredictions& predictions, std::span<const double> thresholds);

[[nodiscard]] MultiLabelFigures figures_of(const LabelSetPredictions& predictions, std::span<const std::uint8_t> answered);

/// Every figure of an Evaluation that has a meaning here; `names` of the K classes.
[[nodiscard]] Evaluation evaluation_of(const LabelSetPredictions& predictions, std::span<const std::uint8_t> answered,
                                       std::span<const double> thresholds, std::span<const std::string> names);

/// The photos that are not answered exactly, the surest wrong answer first. `index`: of each row its place in `samples`.
[[nodiscard]] std::vector<WrongPhoto> wrong_photos(const LabelSetPredictions& predictions, std::span<const std::uint8_t> answered,
                                                   std::span<const std::int32_t> index, std::span<const Sample> samples,
                                                   std::span<const std::string> names);

}  // namespace fovea::training
