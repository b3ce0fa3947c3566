// SPDX-License-Identifier: Apache-2.0
#include "train/thresholds.h"

#include <algorithm>
#include <cmath>

namespace fovea::training {
namespace {

constexpr std::int64_t kFewestPhotos = 5;
constexpr double kNeutral = 0.5;

struct Scored {
  float probability;
  bool positive;
};

/// Sorts; kNeutral when there is no positive.
double best_threshold(std::vector<Scored> scored) {
  std::ranges::sort(scored, std::greater(), &Scored::probability);
  const auto positives = std::ranges::count_if(scored, &Scored::positive);
  double best = kNeutral;
  double best_f1 = 0;
  std::int64_t found = 0;
  for (std::size_t i = 0; i < scored.size(); ++i) {
    found += scored[i].positive ? 1 : 0;
    const double next = i + 1 < scored.size() ? scored[i + 1].probability : 0.0F;
    if (i + 1 < scored.size() && scored[i + 1].probability == scored[i].probability) continue;
    const double f1 = 2 * static_cast<double>(found) / static_cast<double>(static_cast<std::int64_t>(i) + 1 + positives);
    // Kept inside (0, 1), where a probability can be on either side of it.
    const double threshold = std::clamp((static_cast<double>(scored[i].probability) + next) / 2, 0x1p-24, 1 - 0x1p-24);
    const bool nearer = f1 == best_f1 && std::abs(threshold - kNeutral) < std::abs(best - kNeutral);
    if (f1 > best_f1 || (nearer && f1 > 0)) {
      best_f1 = f1;
      best = threshold;
    }
  }
  return best;
}

std::vector<Scored> scored_of(const LabelSetPredictions& predictions, std::size_t first, std::size_t step) {
  std::vector<Scored> scored;
  for (std::size_t i = first; i < predictions.targets.size(); i += step)
    scored.push_back({predictions.probabilities[i], predictions.targets[i] != 0});
  return scored;
}

}  // namespace

std::vector<double> fit_thresholds(const LabelSetPredictions& predictions) {
  const double shared = best_threshold(scored_of(predictions, 0, 1));
  std::vector<double> thresholds;
  for (std::size_t k = 0; k < predictions.classes; ++k) {
    std::vector<Scored> scored = scored_of(predictions, k, predictions.classes);
    const bool few = std::ranges::count_if(scored, &Scored::positive) < kFewestPhotos;
    thresholds.push_back(few ? shared : best_threshold(std::move(scored)));
  }
  return thresholds;
}

std::vector<std::uint8_t> decide_by_other_folds(const LabelSetPredictions& predictions, std::span<const std::int32_t> folds) {
  const std::int32_t fold_count = folds.empty() ? 0 : *std::ranges::max_element(folds) + 1;
  const std::size_t classes = predictions.classes;
  std::vector<std::uint8_t> answered(predictions.targets.size(), 0);
  for (std::int32_t f = 0; f < fold_count; ++f) {
    std::vector<float> probabilities;
    std::vector<std::uint8_t> targets;
    for (std::size_t i = 0; i < predictions.targets.size(); ++i) {
      if (folds[i / classes] == f) continue;
      probabilities.push_back(predictions.probabilities[i]);
      targets.push_back(predictions.targets[i]);
    }
    const std::vector<double> thresholds = fit_thresholds({probabilities, targets, classes});
    for (std::size_t i = 0; i < answered.size(); ++i) {
      if (folds[i / classes] == f) answered[i] = predictions.probabilities[i] >= thresholds[i % classes] ? 1 : 0;
    }
  }
  return answered;
}

}  // namespace fovea::training
