// SPDX-License-Identifier: Apache-2.0
#include "check/label_errors.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <set>

#include "core/parallel.h"
#include "train/calibration.h"
#include "train/cross_validation.h"
#include "train/metrics.h"

namespace fovea::checking {
namespace {

using training::FeatureSet;
using training::LinearHead;
using training::SoftmaxRegression;
using training::Table;

/// As far as comparing strengths goes; the held-out probabilities no longer change in their third digit.
constexpr double kTolerance = 3e-4;

void predict_fold(const Context& context, const FeatureSet& set, const LinearHead& head, std::span<const std::int32_t> folds,
                  std::int32_t fold, Table& logits) {
  const auto width = static_cast<std::size_t>(set.width);
  const auto classes = static_cast<std::size_t>(set.classes);
  parallel_for(context, set.rows(), [&](std::int64_t number) {
    const auto n = static_cast<std::size_t>(number);
    if (folds[n] != fold) return;
    const float* x = set.features.data() + n * width;
    for (std::size_t k = 0; k < classes; ++k) {
      const float* w = head.weight.data() + k * width;
      float sum = head.bias[k];
      for (std::size_t i = 0; i < width; ++i) sum += w[i] * x[i];
      logits.values[n * classes + k] = sum;
    }
  });
}

/// Every photo predicted by the folds it is not in, which count by `weights`.
Table held_out_logits(const Context& context, const FeatureSet& set, const SoftmaxRegression& regression,
                      std::span<const float> weights, std::span<const std::int32_t> folds, double strength) {
  Table logits{set.classes, std::vector<float>(static_cast<std::size_t>(set.rows() * set.classes))};
  for (std::int32_t fold = 0; fold < kFolds && !context.stop_requested(); ++fold) {
    std::vector<float> inside(weights.begin(), weights.end());
    for (std::size_t n = 0; n < inside.size(); ++n) {
      if (folds[n] == fold) inside[n] = 0;
    }
    SoftmaxRegression::Weights solution = regression.zero();
    regression.solve(inside, strength, {.gradient_tolerance = kTolerance}, solution);
    predict_fold(context, set, regression.head(solution), folds, fold, logits);
  }
  return logits;
}

void calibrate(Table& logits, std::span<const std::int32_t> labels) {
  const double temperature = training::fit_temperature(logits, labels);
  for (float& z : logits.values) z = static_cast<float>(z / temperature);
  const auto width = static_cast<std::size_t>(logits.width);
  for (std::size_t n = 0; n < labels.size(); ++n) training::softmax_in_place(std::span(logits.values).subspan(n * width, width));
}

/// Mean probability of each class over the photos that carry its label; above 1, never reached, for classes not judged.
std::vector<double> thresholds_of(const Table& probabilities, std::span<const std::int32_t> labels,
                                  const std::vector<bool>& judged) {
  std::vector<double> sums(judged.size());
  std::vector<std::int64_t> counts(judged.size());
  for (std::size_t n = 0; n < labels.size(); ++n) {
    const auto label = static_cast<std::size_t>(labels[n]);
    sums[label] += static_cast<double>(probabilities.row(static_cast<std::int64_t>(n))[label]);
    ++counts[label];
  }
  for (std::size_t k = 0; k < sums.size(); ++k) sums[k] = judged[k] ? sums[k] / static_cast<double>(counts[k]) : 2.0;
  return sums;
}

/// How many photos labelled i show k, (classes, classes): among those of label i for which some class is claimed, the share that
/// claims k, times the photos of label i.
std::vector<std::int64_t> estimated_errors(const Table& probabilities, std::span<const std::int32_t> labels,
                                           const std::vector<bool>& judged) {
  const std::size_t classes = judged.size();
  const std::vector<double> thresholds = thresholds_of(probabilities, labels, judged);
  std::vector<std::int64_t> claims(classes * classes);
  std::vector<std::int64_t> photos(classes);
  std::vector<std::int64_t> claiming(classes);
  for (std::size_t n = 0; n < labels.size(); ++n) {
    const auto label = static_cast<std::size_t>(labels[n]);
    if (!judged[label]) continue;
    ++photos[label];
    const auto row = probabilities.row(static_cast<std::int64_t>(n));
    std::optional<std::size_t> claimed;
    for (std::size_t k = 0; k < classes; ++k) {
      if (static_cast<double>(row[k]) >= thresholds[k] && (!claimed || row[k] > row[*claimed])) claimed = k;
    }
    if (!claimed) continue;
    ++claims[label * classes + *claimed];
    ++claiming[label];
  }
  for (std::size_t i = 0; i < claims.size(); ++i) {
    const auto label = i / classes;
    if (claiming[label] == 0) continue;
    const double share = static_cast<double>(claims[i]) / static_cast<double>(claiming[label]);
    claims[i] = std::llround(share * static_cast<double>(photos[label]));
  }
  return claims;
}

float margin(const SuspectLabel& suspect) { return suspect.label_probability - suspect.probability; }

}  // namespace

Table held_out_probabilities(const Context& context, const FeatureSet& set, std::span<const std::int32_t> groups,
                             std::uint64_t seed) {
  const SoftmaxRegression regression(context, set);
  const std::vector<std::int32_t> folds = training::stratified_folds(set.labels, groups, kFolds, seed);
  const std::vector<float> weights(set.labels.size(), 1.0F);
  const auto search = training::search_strength(context, regression, weights, folds);
  Table table = held_out_logits(context, set, regression, weights, folds, search.chosen().strength);
  calibrate(table, set.labels);
  return table;
}

std::vector<bool> judged_classes(std::span<const std::int32_t> labels, std::span<const std::int32_t> groups,
                                 std::int64_t classes) {
  std::vector<std::set<std::int32_t>> different(static_cast<std::size_t>(classes));
  for (std::size_t n = 0; n < labels.size(); ++n) different[static_cast<std::size_t>(labels[n])].insert(groups[n]);
  std::vector<bool> judged;
  judged.reserve(different.size());
  for (const auto& of_class : different) judged.push_back(of_class.size() >= static_cast<std::size_t>(kFolds));
  return judged;
}

std::vector<SuspectLabel> find_label_errors(const Table& probabilities, std::span<const std::int32_t> labels,
                                            const std::vector<bool>& judged) {
  const std::size_t classes = judged.size();
  const std::vector<std::int64_t> wrong = estimated_errors(probabilities, labels, judged);
  std::vector<SuspectLabel> suspects;
  for (std::size_t label = 0; label < classes; ++label) {
    for (std::size_t shown = 0; shown < classes; ++shown) {
      const auto count = static_cast<std::size_t>(wrong[label * classes + shown]);
      if (label == shown || count == 0) continue;
      std::vector<SuspectLabel> likely;
      for (std::size_t n = 0; n < labels.size(); ++n) {
        const auto row = probabilities.row(static_cast<std::int64_t>(n));
        if (labels[n] != static_cast<std::int32_t>(label) || training::argmax(row) != shown) continue;
        likely.push_back({static_cast<std::int32_t>(n), static_cast<std::int32_t>(shown), row[shown], row[label]});
      }
      std::ranges::stable_sort(likely, {}, margin);
      likely.resize(std::min(likely.size(), count));
      suspects.insert(suspects.end(), likely.begin(), likely.end());
    }
  }
  std::ranges::stable_sort(suspects, {}, margin);
  return suspects;
}

}  // namespace fovea::checking
