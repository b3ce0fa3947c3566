// SPDX-License-Identifier: Apache-2.0
#include "check/label_errors.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <set>

#include "train/calibration.h"
#include "train/cross_validation.h"
#include "train/label_calibration.h"
#include "train/metrics.h"

namespace fovea::checking {
namespace {

using training::FeatureSet;
using training::SoftmaxRegression;
using training::Table;

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
  Table table{set.classes, training::held_out_logits(regression, weights, folds, search.chosen().strength)};
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

Table held_out_label_probabilities(const Context& context, const FeatureSet& set, std::span<const std::int32_t> groups,
                                   std::uint64_t seed) {
  const auto regression = training::make_regression(context, set);
  const std::vector<std::int32_t> folds = training::stratified_folds(set.labels, groups, kFolds, seed);
  const std::vector<float> weights(set.labels.size(), 1.0F);
  const auto search = training::search_strength(context, *regression, weights, folds);
  const Table logits{set.classes, training::held_out_logits(*regression, weights, folds, search.chosen().strength)};
  return {set.classes, training::label_probabilities(logits, training::fit_temperature(logits, set.targets))};
}

namespace {

/// Of every row whether it has label k: 0 or 1.
std::vector<std::int32_t> answers_of(std::span<const std::uint8_t> targets, std::size_t k, std::size_t classes) {
  std::vector<std::int32_t> answers;
  for (std::size_t i = k; i < targets.size(); i += classes) answers.push_back(targets[i]);
  return answers;
}

}  // namespace

std::vector<bool> judged_labels(std::span<const std::uint8_t> targets, std::span<const std::int32_t> groups,
                                std::int64_t classes) {
  std::vector<bool> judged;
  for (std::int64_t k = 0; k < classes; ++k) {
    const auto answers = answers_of(targets, static_cast<std::size_t>(k), static_cast<std::size_t>(classes));
    const std::vector<bool> both = judged_classes(answers, groups, 2);
    judged.push_back(both[0] && both[1]);
  }
  return judged;
}

std::vector<SuspectTarget> find_target_errors(const Table& probabilities, std::span<const std::uint8_t> targets,
                                              const std::vector<bool>& judged) {
  const std::size_t classes = judged.size();
  std::vector<SuspectTarget> suspects;
  for (std::size_t k = 0; k < classes; ++k) {
    if (!judged[k]) continue;
    Table question{2, {}};
    for (std::size_t i = k; i < targets.size(); i += classes) {
      question.values.insert(question.values.end(), {1 - probabilities.values[i], probabilities.values[i]});
    }
    for (const SuspectLabel& suspect : find_label_errors(question, answers_of(targets, k, classes), {true, true}))
      suspects.push_back({suspect.row, static_cast<std::int32_t>(k), suspect.predicted == 1, suspect.probability});
  }
  std::ranges::stable_sort(suspects, std::greater<>(), &SuspectTarget::probability);
  return suspects;
}

}  // namespace fovea::checking
