// SPDX-License-Identifier: Apache-2.0
#include "train/k_fold.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/error.h"
#include "data/similar.h"
#include "train/average_precision.h"
#include "train/cross_validation.h"
#include "train/metrics.h"

namespace fovea::training {
namespace {

constexpr int kInnerFolds = 5;

/// Rows of a feature set, gathered.
struct Part {
  std::vector<float> features;
  std::vector<std::int32_t> labels;
  std::vector<std::uint8_t> targets;
  std::vector<float> weights;
  std::vector<std::int32_t> groups;
};

/// Empty where each row has one label.
std::span<const std::uint8_t> targets_of_row(const FeatureSet& set, std::size_t n) {
  if (set.targets.empty()) return {};
  return set.targets.subspan(n * static_cast<std::size_t>(set.classes), static_cast<std::size_t>(set.classes));
}

Part gather(const FeatureSet& set, std::span<const float> row_weights, std::span<const std::int32_t> groups,
            std::span<const std::int32_t> folds, std::int32_t left_out) {
  const auto width = static_cast<std::size_t>(set.width);
  Part part;
  for (std::size_t n = 0; n < folds.size(); ++n) {
    if (folds[n] == left_out) continue;
    const auto row = set.features.subspan(n * width, width);
    part.features.insert(part.features.end(), row.begin(), row.end());
    part.labels.push_back(set.labels[n]);
    const auto targets = targets_of_row(set, n);
    part.targets.insert(part.targets.end(), targets.begin(), targets.end());
    part.weights.push_back(row_weights[n]);
    if (!groups.empty()) part.groups.push_back(groups[n]);
  }
  return part;
}

std::vector<float> logits_of(const LinearHead& head, std::span<const float> row) {
  std::vector<float> logits(head.bias);
  for (std::size_t k = 0; k < logits.size(); ++k) {
    for (std::size_t i = 0; i < row.size(); ++i) logits[k] += head.weight[k * row.size() + i] * row[i];
  }
  return logits;
}

/// The measure of `head` on the rows of a fold, of which there is one at least.
double judge(const FeatureSet& set, std::span<const std::int32_t> fold_of, std::int32_t fold, const LinearHead& head) {
  const auto width = static_cast<std::size_t>(set.width);
  std::vector<float> logits;
  std::vector<std::uint8_t> targets;
  std::int64_t rows = 0;
  std::int64_t right = 0;
  for (std::size_t n = 0; n < fold_of.size(); ++n) {
    if (fold_of[n] != fold) continue;
    const std::vector<float> row = logits_of(head, set.features.subspan(n * width, width));
    ++rows;
    right += argmax(row) == static_cast<std::size_t>(set.labels[n]) ? 1 : 0;
    logits.insert(logits.end(), row.begin(), row.end());
    const auto truth = targets_of_row(set, n);
    targets.insert(targets.end(), truth.begin(), truth.end());
  }
  // The order of logits is that of the probabilities, which is all that an average precision looks at.
  if (!targets.empty()) return mean_average_precision({logits, targets, static_cast<std::size_t>(set.classes)});
  return static_cast<double>(right) / static_cast<double>(rows);
}

}  // namespace

CrossValidation summary_of(std::string what, std::vector<double> accuracies, Measure measure) {
  CrossValidation summary{std::move(what), std::move(accuracies), 0, 0, measure};
  const auto n = static_cast<double>(summary.accuracies.size());
  if (n == 0) return summary;
  summary.mean = std::accumulate(summary.accuracies.begin(), summary.accuracies.end(), 0.0) / n;
  double squares = 0;
  for (const double accuracy : summary.accuracies) squares += (accuracy - summary.mean) * (accuracy - summary.mean);
  summary.deviation = n > 1 ? std::sqrt(squares / (n - 1)) : 0;
  return summary;
}

std::vector<double> cross_validate_head(const Context& context, const FeatureSet& set, std::span<const float> row_weights,
                                        std::span<const std::int32_t> groups, int folds, std::uint64_t seed) {
  const std::vector<std::int32_t> fold_of = stratified_folds(set.labels, groups, folds, seed);
  std::vector<double> accuracies;
  for (std::int32_t fold = 0; fold < folds && !context.stop_requested(); ++fold) {
    const Part part = gather(set, row_weights, groups, fold_of, fold);
    if (std::ranges::find(fold_of, fold) == fold_of.end() || part.labels.empty()) continue;
    const FittedHead fitted = fit_head(context, {part.features, part.labels, set.width, set.classes, part.targets}, part.weights,
                                       stratified_folds(part.labels, part.groups, kInnerFolds, seed));
    accuracies.push_back(judge(set, fold_of, fold, fitted.head));
  }
  return accuracies;
}

Result<std::vector<Dataset>> split_into_folds(const Context& context, const Dataset& data, int folds, std::uint64_t seed) {
  std::vector<std::filesystem::path> paths;
  for (const Sample& sample : data.train) paths.push_back(sample.path);
  FOVEA_ASSIGN(const auto fingerprints, fingerprints_of(context, paths));
  const std::vector<std::int32_t> labels = home_classes(data.train, data.class_count());
  const std::vector<std::int32_t> fold_of = stratified_folds(labels, group_near_duplicates(fingerprints), folds, seed);
  std::vector<Dataset> parts;
  for (std::int32_t fold = 0; fold < folds; ++fold) {
    Dataset part = data;
    part.train.clear();
    part.val.clear();
    part.test.clear();
    part.notes.clear();
    for (std::size_t n = 0; n < data.train.size(); ++n) (fold_of[n] == fold ? part.test : part.train).push_back(data.train[n]);
    FOVEA_TRY(check_trainable(part));
    parts.push_back(std::move(part));
  }
  return parts;
}

}  // namespace fovea::training
