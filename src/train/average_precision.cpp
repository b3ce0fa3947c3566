// SPDX-License-Identifier: Apache-2.0
#include "train/average_precision.h"

#include <algorithm>
#include <numeric>
#include <optional>
#include <vector>

#include "core/rng.h"

namespace fovea::training {
namespace {

/// The photos in the order of their scores for one class, computed once for many draws.
class Ranking {
 public:
  Ranking(std::span<const float> scores, std::span<const std::uint8_t> positive) {
    std::vector<std::size_t> order(scores.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::stable_sort(order, std::greater(), [&](std::size_t i) { return scores[i]; });
    for (std::size_t i = 0; i < order.size(); ++i) {
      const bool last = i + 1 == order.size() || scores[order[i + 1]] != scores[order[i]];
      places_.push_back({order[i], positive[order[i]] != 0, last});
    }
  }

  /// Each photo as often as `counts` says; nothing without a positive.
  [[nodiscard]] std::optional<double> average_precision(std::span<const std::int32_t> counts) const {
    double sum = 0;
    std::int64_t photos = 0;
    std::int64_t found = 0;
    std::int64_t before = 0;  // found above the current score
    for (const Place& place : places_) {
      photos += counts[place.photo];
      found += place.positive ? counts[place.photo] : 0;
      if (!place.last_of_its_score) continue;
      if (found > before) sum += static_cast<double>(found - before) * static_cast<double>(found) / static_cast<double>(photos);
      before = found;
    }
    return found > 0 ? std::optional(sum / static_cast<double>(found)) : std::nullopt;
  }

 private:
  struct Place {
    std::size_t photo;
    bool positive;
    bool last_of_its_score;
  };
  std::vector<Place> places_;
};

template <class T>
std::vector<T> column(std::span<const T> table, std::size_t classes, std::size_t k) {
  std::vector<T> result;
  for (std::size_t i = k; i < table.size(); i += classes) result.push_back(table[i]);
  return result;
}

Ranking ranking_of(const LabelSetPredictions& predictions, std::size_t k) {
  return {column(predictions.probabilities, predictions.classes, k), column(predictions.targets, predictions.classes, k)};
}

std::vector<std::int32_t> once_each(std::size_t photos) { return std::vector<std::int32_t>(photos, 1); }

double mean_over(std::span<const Ranking> classes, std::span<const std::int32_t> counts) {
  double sum = 0;
  int present = 0;
  for (const Ranking& ranking : classes) {
    const auto precision = ranking.average_precision(counts);
    sum += precision.value_or(0);
    present += precision ? 1 : 0;
  }
  return present > 0 ? sum / present : 0;
}

std::vector<Ranking> rankings_of(const LabelSetPredictions& predictions) {
  std::vector<Ranking> rankings;
  for (std::size_t k = 0; k < predictions.classes; ++k) rankings.push_back(ranking_of(predictions, k));
  return rankings;
}

}  // namespace

double average_precision(std::span<const float> scores, std::span<const std::uint8_t> positive) {
  return Ranking(scores, positive).average_precision(once_each(scores.size())).value_or(0);
}

double average_precision(const LabelSetPredictions& predictions, std::size_t k) {
  return ranking_of(predictions, k).average_precision(once_each(predictions.rows())).value_or(0);
}

double mean_average_precision(const LabelSetPredictions& predictions) {
  return mean_over(rankings_of(predictions), once_each(predictions.rows()));
}

Interval mean_average_precision_interval(const LabelSetPredictions& predictions) {
  constexpr std::uint32_t kDraws = 400;
  constexpr std::size_t kLeftOut = kDraws / 40;  // 2.5 % at either end
  const std::size_t photos = predictions.rows();
  if (photos < 2) return {};
  const std::vector<Ranking> rankings = rankings_of(predictions);
  std::vector<double> drawn;
  for (std::uint32_t draw = 0; draw < kDraws; ++draw) {
    Rng rng(0, draw);
    std::vector<std::int32_t> counts(photos, 0);
    for (std::size_t i = 0; i < photos; ++i) ++counts[rng.below(static_cast<std::uint32_t>(photos))];
    drawn.push_back(mean_over(rankings, counts));
  }
  std::ranges::sort(drawn);
  return {drawn[kLeftOut], drawn[kDraws - 1 - kLeftOut]};
}

}  // namespace fovea::training
