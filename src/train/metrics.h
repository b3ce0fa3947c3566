// Fovea: figures that tell how good predictions are.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "fovea/evaluate.h"

namespace fovea::training {

/// Wilson's score interval of a proportion, at 95 %: (p + z^2/2n -+ z sqrt(p(1-p)/n + z^2/4n^2)) / (1 + z^2/n), z = 1.96
/// (E. B. Wilson, "Probable inference", JASA 1927). {0, 1} for no trials.
[[nodiscard]] Interval wilson_interval(std::int64_t successes, std::int64_t trials);

/// The same for a share of `trials` that came about by counting.
[[nodiscard]] Interval interval_of(double share, std::int64_t trials);

/// Index of the largest of `scores`; the first of equals.
[[nodiscard]] std::size_t argmax(std::span<const float> scores);

/// How many scores beat that of `label`; equals count for the lower index, as in argmax.
[[nodiscard]] std::int64_t rank_of(std::span<const float> scores, std::size_t label);

/// In place: logits -> probabilities, computed from the largest down, in double precision.
void softmax_in_place(std::span<float> logits);

/// Rows of softmax probabilities (N, K) and their labels, each below K.
struct Predictions {
  std::span<const float> probabilities;
  std::span<const std::int32_t> labels;
  [[nodiscard]] std::size_t classes() const { return labels.empty() ? 0 : probabilities.size() / labels.size(); }
  [[nodiscard]] std::span<const float> row(std::size_t i) const { return probabilities.subspan(i * classes(), classes()); }
};

/// Share of rows whose largest probability is the label's.
[[nodiscard]] double accuracy(const Predictions& predictions);
/// Mean of -log p(label).
[[nodiscard]] double log_loss(const Predictions& predictions);
/// As Evaluation::calibration_error.
[[nodiscard]] double calibration_error(const Predictions& predictions, int bins = 15);
/// Ten points: the surest 100 %, 90 %, ... 10 % of the photos.
[[nodiscard]] std::vector<CoveragePoint> coverage_curve(const Predictions& predictions);

/// Every figure of an Evaluation that follows from the predictions; `classes` names the K columns.
[[nodiscard]] Evaluation evaluation_of(const Predictions& predictions, std::span<const std::string> classes, int top);

}  // namespace fovea::training
