// SPDX-License-Identifier: Apache-2.0
#include "train/cross_validation.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
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

StrengthSearch search_strength(const Context& context, const SoftmaxRegression& regression, std::span<const float> row_weights,
                               std::span<const std::int32_t> folds) {
  const std::int32_t fold_count = folds.empty() ? 0 : *std::max_element(folds.begin(), folds.end()) + 1;
  std::vector<SoftmaxRegression::Weights> weights(static_cast<std::size_t>(fold_count), regression.zero());
  std::vector<std::vector<float>> inside(weights.size(), {row_weights.begin(), row_weights.end()});
  std::vector<std::vector<float>> outside = inside;
  for (std::size_t f = 0; f < weights.size(); ++f) {
    for (std::size_t n = 0; n < folds.size(); ++n) (static_cast<std::size_t>(folds[n]) == f ? inside : outside)[f][n] = 0;
  }
  LbfgsOptions options;
  options.gradient_tolerance = kComparisonTolerance;
  StrengthSearch search;
  std::size_t least = 0;
  for (const double strength : kStrengths) {
    StrengthPoint point{strength, {}};
    double total = 0;
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
    }
    if (total > 0) {
      point.held_out = {point.held_out.loss / total, point.held_out.accuracy / total, point.held_out.loss_variance / total};
      point.standard_error = std::sqrt(point.held_out.loss_variance / static_cast<double>(folds.size()));
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
  const SoftmaxRegression regression(context, set);
  FittedHead fitted;
  fitted.search = search_strength(context, regression, row_weights, folds);
  SoftmaxRegression::Weights weights = regression.zero();
  fitted.solution = regression.solve(row_weights, fitted.search.chosen().strength, {}, weights);
  fitted.head = regression.head(weights);
  return fitted;
}

}  // namespace fovea::training
