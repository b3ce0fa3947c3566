// SPDX-License-Identifier: Apache-2.0
#include "train/k_fold.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/error.h"
#include "data/similar.h"
#include "train/cross_validation.h"
#include "train/metrics.h"

namespace fovea::training {
namespace {

constexpr int kInnerFolds = 5;

/// Rows of a feature set, gathered.
struct Part {
  std::vector<float> features;
  std::vector<std::int32_t> labels;
  std::vector<float> weights;
  std::vector<std::int32_t> groups;
};

Part gather(const FeatureSet& set, std::span<const float> row_weights, std::span<const std::int32_t> groups,
            std::span<const std::int32_t> folds, std::int32_t left_out) {
  const auto width = static_cast<std::size_t>(set.width);
  Part part;
  for (std::size_t n = 0; n < folds.size(); ++n) {
    if (folds[n] == left_out) continue;
    const auto row = set.features.subspan(n * width, width);
    part.features.insert(part.features.end(), row.begin(), row.end());
    part.labels.push_back(set.labels[n]);
    part.weights.push_back(row_weights[n]);
    if (!groups.empty()) part.groups.push_back(groups[n]);
  }
  return part;
}

std::size_t answer(const LinearHead& head, std::span<const float> row) {
  std::vector<float> logits(head.bias);
  for (std::size_t k = 0; k < logits.size(); ++k) {
    for (std::size_t i = 0; i < row.size(); ++i) logits[k] += head.weight[k * row.size() + i] * row[i];
  }
  return argmax(logits);
}

}  // namespace

CrossValidation summary_of(std::string what, std::vector<double> accuracies) {
  CrossValidation summary{std::move(what), std::move(accuracies), 0, 0};
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
  const auto width = static_cast<std::size_t>(set.width);
  std::vector<double> accuracies;
  for (std::int32_t fold = 0; fold < folds && !context.stop_requested(); ++fold) {
    const Part part = gather(set, row_weights, groups, fold_of, fold);
    const auto rows = static_cast<std::size_t>(std::ranges::count(fold_of, fold));
    if (rows == 0 || part.labels.empty()) continue;
    const FittedHead fitted = fit_head(context, {part.features, part.labels, set.width, set.classes}, part.weights,
                                       stratified_folds(part.labels, part.groups, kInnerFolds, seed));
    std::int64_t right = 0;
    for (std::size_t n = 0; n < fold_of.size(); ++n) {
      if (fold_of[n] != fold) continue;
      const auto row = set.features.subspan(n * width, width);
      right += answer(fitted.head, row) == static_cast<std::size_t>(set.labels[n]) ? 1 : 0;
    }
    accuracies.push_back(static_cast<double>(right) / static_cast<double>(rows));
  }
  return accuracies;
}

Result<std::vector<Dataset>> split_into_folds(const Context& context, const Dataset& data, int folds, std::uint64_t seed) {
  std::vector<std::filesystem::path> paths;
  std::vector<std::int32_t> labels;
  for (const Sample& sample : data.train) {
    paths.push_back(sample.path);
    labels.push_back(sample.labels.empty() ? 0 : sample.labels.front());
  }
  FOVEA_ASSIGN(const auto fingerprints, fingerprints_of(context, paths));
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
