// SPDX-License-Identifier: Apache-2.0
#include "train/cross_validation.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <memory>
#include <numeric>

#include "core/rng.h"

namespace fovea::training {
namespace {

/// Strongest to weakest, in steps of half a decade.
constexpr std::array kStrengths{1e-2, 3.2e-3, 1e-3, 3.2e-4, 1e-4, 3.2e-5, 1e-5};
/// Enough to compare strengths: the held-out loss no longer changes in its third digit.
constexpr double kComparisonTolerance = 3e-4;

struct Group {
  std::uint32_t draw = 0;  // random order
  std::int32_t number = 0;
  std::vector<std::int32_t> rows;
};

/// Rows by group, largest groups first, equals in random order.
std::vector<Group> groups_of(std::size_t rows, std::span<const std::int32_t> groups, std::uint64_t seed) {
  std::map<std::int32_t, Group> table;
  for (std::size_t n = 0; n < rows; ++n) {
    const std::int32_t number = groups.empty() ? static_cast<std::int32_t>(n) : groups[n];
    table[number].rows.push_back(static_cast<std::int32_t>(n));
  }
  std::vector<Group> result;
  for (auto& [number, group] : table) {
    group.number = number;
    group.draw = Rng(seed, 0, static_cast<std::uint32_t>(number))();
    result.push_back(std::move(group));
  }
  std::stable_sort(result.begin(), result.end(), [](const Group& a, const Group& b) {
    return a.rows.size() != b.rows.size() ? a.rows.size() > b.rows.size() : a.draw < b.draw;
  });
  return result;
}

std::int32_t fold_count_of(std::span<const std::int32_t> folds) {
  return folds.empty() ? 0 : *std::max_element(folds.begin(), folds.end()) + 1;
}

/// For each fold the weights of its own rows (`own`) or of all others; 0 for the rest.
std::vector<std::vector<float>> weights_by_fold(std::span<const float> row_weights, std::span<const std::int32_t> folds,
                                                std::int32_t fold_count, bool own) {
  std::vector<std::vector<float>> result(static_cast<std::size_t>(fold_count), {row_weights.begin(), row_weights.end()});
  for (std::int32_t f = 0; f < fold_count; ++f) {
    for (std::size_t n = 0; n < folds.size(); ++n) {
      if ((folds[n] == f) != own) result[static_cast<std::size_t>(f)][n] = 0;
    }
  }
  return result;
}

}  // namespace

std::vector<std::int32_t> stratified_folds(std::span<const std::int32_t> labels, std::span<const std::int32_t> groups, int folds,
                                           std::uint64_t seed) {
  const std::int32_t classes = labels.empty() ? 0 : *std::max_element(labels.begin(), labels.end()) + 1;
  const auto fold_count = static_cast<std::size_t>(folds);
  std::vector<std::int64_t> per_class(static_cast<std::size_t>(classes) * fold_count, 0);
  std::vector<std::int64_t> per_fold(fold_count, 0);
  std::vector<std::int32_t> result(labels.size(), 0);
  for (const Group& group : groups_of(labels.size(), groups, seed)) {
    // To the fold that has the fewest of the group's first class, then the fewest photos.
    const auto label = static_cast<std::size_t>(labels[static_cast<std::size_t>(group.rows.front())]);
    std::size_t best = 0;
    for (std::size_t f = 1; f < fold_count; ++f) {
      const std::array candidate{per_class[label * fold_count + f], per_fold[f]};
      const std::array so_far{per_class[label * fold_count + best], per_fold[best]};
      if (candidate < so_far) best = f;
    }
    for (const std::int32_t row : group.rows) {
      result[static_cast<std::size_t>(row)] = static_cast<std::int32_t>(best);
      ++per_class[static_cast<std::size_t>(labels[static_cast<std::size_t>(row)]) * fold_count + best];
      ++per_fold[best];
    }
  }
  return result;
}

std::vector<float> held_out_logits(const HeadRegression& regression, std::span<const float> row_weights,
                                   std::span<const std::int32_t> folds, double strength) {
  const std::int32_t fold_count = fold_count_of(folds);
  const auto inside = weights_by_fold(row_weights, folds, fold_count, false);
  LbfgsOptions options;
  options.gradient_tolerance = kComparisonTolerance;
  std::vector<float> result = regression.logits(regression.zero());
  for (std::int32_t f = 0; f < fold_count; ++f) {
    if (std::ranges::all_of(inside[static_cast<std::size_t>(f)], [](float weight) { return weight <= 0; })) continue;
    HeadRegression::Weights weights = regression.zero();
    regression.solve(inside[static_cast<std::size_t>(f)], strength, options, weights);
    const std::vector<float> logits = regression.logits(weights);
    const std::size_t classes = logits.size() / folds.size();
    for (std::size_t i = 0; i < logits.size(); ++i) {
      if (folds[i / classes] == f) result[i] = logits[i];
    }
  }
  return result;
}

int folds_to_try(std::int64_t rows, std::int64_t width, std::int64_t classes, int folds) {
  constexpr double kMultiplyAdds = 1e10;  // of all folds together, each time that a last layer looks at the photos
  const double each = static_cast<double>(rows) * static_cast<double>(width + 1) * static_cast<double>(classes);
  return static_cast<int>(std::clamp(kMultiplyAdds / each, 1.0, static_cast<double>(std::max(folds, 1))));
}

StrengthSearch search_strength(const Context& context, const HeadRegression& regression, std::span<const float> row_weights,
                               std::span<const std::int32_t> folds, std::optional<int> tried) {
  const std::int32_t fold_count =
      tried.value_or(folds_to_try(regression.rows(), regression.width(), regression.classes(), fold_count_of(folds)));
  std::vector<HeadRegression::Weights> weights(static_cast<std::size_t>(fold_count), regression.zero());
  const std::vector<std::vector<float>> inside = weights_by_fold(row_weights, folds, fold_count, false);
  const std::vector<std::vector<float>> outside = weights_by_fold(row_weights, folds, fold_count, true);
  LbfgsOptions options;
  options.gradient_tolerance = kComparisonTolerance;
  StrengthSearch search;
  search.folds_tried = fold_count;
  std::size_t least = 0;
  for (const double strength : kStrengths) {
    StrengthPoint point{strength, {}};
    double total = 0;
    std::int64_t photos = 0;
    for (std::size_t f = 0; f < weights.size(); ++f) {
      const double inner = std::accumulate(inside[f].begin(), inside[f].end(), 0.0);
      const double outer = std::accumulate(outside[f].begin(), outside[f].end(), 0.0);
      if (inner <= 0 || outer <= 0) continue;
      regression.solve(inside[f], strength, options, weights[f]);
      const auto score = regression.score(outside[f], weights[f]);
      point.held_out.loss += score.loss * outer;
      point.held_out.accuracy += score.accuracy * outer;
      point.held_out.loss_variance += score.loss_variance * outer;
      total += outer;
      photos += std::ranges::count(folds, static_cast<std::int32_t>(f));
    }
    if (total > 0) {
      point.held_out = {point.held_out.loss / total, point.held_out.accuracy / total, point.held_out.loss_variance / total};
      point.standard_error = std::sqrt(point.held_out.loss_variance / static_cast<double>(photos));
    }
    search.path.push_back(point);
    if (point.held_out.loss < search.path[least].held_out.loss) least = search.path.size() - 1;
    if (search.path.size() - 1 - least == 2 || context.stop_requested()) break;
  }
  const double bound = search.path[least].held_out.loss + search.path[least].standard_error;
  while (search.path[search.best].held_out.loss > bound) ++search.best;
  return search;
}

FittedHead fit_head(const Context& context, const FeatureSet& set, std::span<const float> row_weights,
                    std::span<const std::int32_t> folds) {
  const std::unique_ptr<HeadRegression> regression = make_regression(context, set);
  FittedHead fitted;
  fitted.folds = fold_count_of(folds);
  fitted.search = search_strength(context, *regression, row_weights, folds);
  const double strength = fitted.search.chosen().strength;
  HeadRegression::Weights weights = regression->zero();
  fitted.solution = regression->solve(row_weights, strength, {}, weights);
  fitted.head = regression->head(weights);
  if (!set.targets.empty()) fitted.held_out_logits = held_out_logits(*regression, row_weights, folds, strength);
  return fitted;
}

}  // namespace fovea::training
