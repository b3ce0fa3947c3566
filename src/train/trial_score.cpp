// SPDX-License-Identifier: Apache-2.0
#include "train/trial_score.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "train/average_precision.h"
#include "train/calibration.h"
#include "train/label_calibration.h"
#include "train/label_sets.h"
#include "train/metrics.h"

namespace fovea::training {

TrialScore score_of_classes(Table logits, std::span<const std::int32_t> labels) {
  const double temperature = fit_temperature(logits, labels);
  const auto width = static_cast<std::size_t>(logits.width);
  TrialScore score;
  for (std::size_t n = 0; n < labels.size(); ++n) {
    const auto row = std::span(logits.values).subspan(n * width, width);
    for (float& logit : row) logit = static_cast<float>(logit / temperature);
    softmax_in_place(row);
    const auto label = static_cast<std::size_t>(labels[n]);
    constexpr float kLeast = 1e-12F;  // keeps one photo from deciding alone
    score.losses.push_back(-std::log(std::max(row[label], kLeast)));
    score.accuracy += argmax(row) == label ? 1 : 0;
  }
  if (!labels.empty()) score.accuracy /= static_cast<double>(labels.size());
  return score;
}

TrialScore score_of_label_sets(const Table& logits, std::span<const std::uint8_t> targets) {
  const std::vector<float> probabilities = label_probabilities(logits, fit_temperature(logits, targets));
  const LabelSetPredictions predictions{probabilities, targets, static_cast<std::size_t>(logits.width)};
  TrialScore score;
  for (std::size_t begin = 0; begin < targets.size(); begin += predictions.classes) {
    score.losses.push_back(log_loss({predictions.probabilities.subspan(begin, predictions.classes),
                                     predictions.targets.subspan(begin, predictions.classes), predictions.classes}));
  }
  score.accuracy = mean_average_precision(predictions);
  return score;
}

}  // namespace fovea::training
