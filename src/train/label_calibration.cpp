// SPDX-License-Identifier: Apache-2.0
#include "train/label_calibration.h"

#include <algorithm>
#include <cmath>

#include "model/probabilities.h"
#include "train/calibration.h"
#include "train/fold_part.h"

namespace fovea::training {
std::vector<float> label_probabilities(const Table& logits, double temperature) {
  const std::vector<double> probabilities = independent_probabilities_of(logits.values, temperature);
  std::vector<float> result;
  result.reserve(probabilities.size());
  for (const double p : probabilities) result.push_back(static_cast<float>(p));
  return result;
}

double fit_temperature(const Table& logits, std::span<const std::uint8_t> targets) {
  if (targets.empty()) return 1;
  return least_temperature([&](double inverse) {
    double loss = 0;
    for (std::size_t i = 0; i < targets.size(); ++i) {
      // log(1 + exp(-z)) of what speaks for the truth.
      const double z = (targets[i] != 0 ? 1 : -1) * static_cast<double>(logits.values[i]) * inverse;
      loss += std::max(-z, 0.0) + std::log1p(std::exp(-std::abs(z)));
    }
    return loss;
  });
}

double calibration_error(const LabelSetPredictions& predictions) {
  constexpr int kBins = 15;
  std::vector<double> gaps(kBins);
  for (std::size_t i = 0; i < predictions.targets.size(); ++i) {
    const double p = predictions.probabilities[i];
    const auto bin = static_cast<std::size_t>(std::clamp(static_cast<int>(p * kBins), 0, kBins - 1));
    gaps[bin] += predictions.targets[i] - p;
  }
  double error = 0;
  for (const double gap : gaps) error += std::abs(gap);
  return error / static_cast<double>(std::max<std::size_t>(1, predictions.targets.size()));
}

CalibrationReport fit_label_calibration(const Table& logits, std::span<const std::uint8_t> targets,
                                        std::span<const std::int32_t> folds) {
  const auto classes = static_cast<std::size_t>(logits.width);
  const auto error_of = [&](std::span<const float> probabilities, std::span<const std::uint8_t> truth) {
    return calibration_error(LabelSetPredictions{probabilities, truth, classes});
  };
  CalibrationReport report;
  report.photos = logits.rows();
  report.temperature = fit_temperature(logits, targets);
  report.error_before = error_of(label_probabilities(logits, 1), targets);
  report.error = error_of(label_probabilities(logits, report.temperature), targets);
  FoldPart<std::uint8_t> left_out{{logits.width, {}}, {}};  // probabilities in place of logits
  const std::int32_t fold_count = folds.empty() ? 0 : *std::ranges::max_element(folds) + 1;
  for (std::int32_t fold = 0; fold < fold_count; ++fold) {
    const auto others = part_of(logits, targets, folds, fold, false);
    const auto own = part_of(logits, targets, folds, fold, true);
    const auto probabilities = label_probabilities(own.logits, fit_temperature(others.logits, others.truth));
    left_out.logits.values.insert(left_out.logits.values.end(), probabilities.begin(), probabilities.end());
    left_out.truth.insert(left_out.truth.end(), own.truth.begin(), own.truth.end());
  }
  report.error_cross_fitted = error_of(left_out.logits.values, left_out.truth);
  return report;
}

}  // namespace fovea::training
