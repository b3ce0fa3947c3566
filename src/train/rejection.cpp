// SPDX-License-Identifier: Apache-2.0
#include "train/rejection.h"

#include <algorithm>
#include <cmath>

#include "core/parallel.h"
#include "train/matrix_product.h"
#include "train/principal_directions.h"

namespace fovea::training {
namespace {

constexpr std::int64_t kMostDirections = 64;
constexpr std::int64_t kRowsPerDirection = 8;  // fewer, and a direction's spread is a guess
static_assert(kMostDirections % kColumnMultiple == 0 && kMostDirections <= Rejection::kMaxRank);

std::int64_t directions_for(std::int64_t rows) {
  const std::int64_t possible = rows / kRowsPerDirection / kColumnMultiple * kColumnMultiple;
  return std::clamp(possible, kColumnMultiple, kMostDirections);
}

/// Rows at length 1, less their mean, which is given back.
std::vector<float> normalise(Table& rows) {
  std::vector<double> sums(static_cast<std::size_t>(rows.width));
  for (std::int64_t n = 0; n < rows.rows(); ++n) {
    const auto row = std::span(rows.values).subspan(static_cast<std::size_t>(n * rows.width), sums.size());
    double square = 0;
    for (const float x : row) square += static_cast<double>(x) * x;
    const double scale = square > 0 ? 1 / std::sqrt(square) : 0;
    for (std::size_t i = 0; i < row.size(); ++i) {
      row[i] = static_cast<float>(row[i] * scale);
      sums[i] += row[i];
    }
  }
  std::vector<float> mean;
  for (const double sum : sums) mean.push_back(static_cast<float>(sum / static_cast<double>(rows.rows())));
  for (std::size_t i = 0; i < rows.values.size(); ++i) rows.values[i] -= mean[i % mean.size()];
  return mean;
}

std::optional<Rejection> fit(const Context& context, const Table& features, std::int64_t rank) {
  const std::int64_t rows = features.rows();
  if (rows <= rank) return std::nullopt;
  Table centred = features;
  Rejection result;
  result.mean = normalise(centred);
  const auto directions = principal_directions(context, centred.values, rows, centred.width, rank);
  result.basis = transposed(directions.basis, centred.width);
  Table inside{rank, std::vector<float>(static_cast<std::size_t>(rows * rank))};
  multiply(context, {rows, rank, centred.width}, centred.values, directions.basis, inside.values);

  double total = 0;
  double kept = 0;
  for (const float x : centred.values) total += static_cast<double>(x) * x;
  for (const float z : inside.values) kept += static_cast<double>(z) * z;
  result.rest = (total - kept) / static_cast<double>(rows);
  return result.rest > 1e-9 ? std::optional(std::move(result)) : std::nullopt;  // photos that are all alike leave nothing
}

}  // namespace

std::optional<Rejection> fit_rejection(const Context& context, const Table& features) {
  return fit(context, features, directions_for(features.rows()));
}

std::optional<Rejection::Energy> measure_energy(const Table& logits) {
  const auto rows = static_cast<double>(logits.rows());
  double sum = 0;
  double squares = 0;
  for (std::int64_t n = 0; n < logits.rows(); ++n) sum += energy_of(logits.row(n));
  const double mean = sum / rows;
  for (std::int64_t n = 0; n < logits.rows(); ++n) squares += std::pow(energy_of(logits.row(n)) - mean, 2);
  const double deviation = std::sqrt(squares / (rows - 1));
  return deviation > 1e-6 ? std::optional(Rejection::Energy{mean, deviation}) : std::nullopt;
}

std::vector<double> rejection_scores(const Context& context, const Rejection& rejection, const Table& features,
                                     const Table& logits) {
  std::vector<double> scores(static_cast<std::size_t>(features.rows()));
  parallel_for(context, features.rows(), [&](std::int64_t n) {
    scores[static_cast<std::size_t>(n)] = rejection_score(rejection, features.row(n), logits.row(n));
  });
  return scores;
}

std::vector<double> held_out_scores(const Context& context, const Table& features, std::span<const std::int32_t> folds) {
  std::vector<double> scores(folds.size());
  const std::int32_t count = folds.empty() ? 0 : *std::ranges::max_element(folds) + 1;
  for (std::int32_t fold = 0; fold < count; ++fold) {
    Table inside{features.width, {}};
    for (std::size_t n = 0; n < folds.size(); ++n) {
      if (folds[n] == fold) continue;
      const auto row = features.row(static_cast<std::int64_t>(n));
      inside.values.insert(inside.values.end(), row.begin(), row.end());
    }
    // As many directions as for all rows: scores of another rank would not be comparable.
    const auto fitted = fit(context, inside, directions_for(features.rows()));
    if (!fitted) return {};
    parallel_for(context, static_cast<std::int64_t>(folds.size()), [&](std::int64_t n) {
      const auto i = static_cast<std::size_t>(n);
      if (folds[i] == fold) scores[i] = rejection_score(*fitted, features.row(n), {});
    });
  }
  return scores;
}

std::optional<double> threshold_for(std::vector<double> known, double rate) {
  const auto place = std::ceil(static_cast<double>(known.size() + 1) * (1 - rate) - 1e-9);  // 1 - rate is rounded
  if (place < 1 || place > static_cast<double>(known.size())) return std::nullopt;
  std::ranges::sort(known);
  return known[static_cast<std::size_t>(place) - 1];
}

double threshold_between(std::span<const double> known, std::span<const double> none, double lowest) {
  double best = lowest;
  double least = share_above(known, lowest) + 1 - share_above(none, lowest);
  std::vector<double> candidates(known.begin(), known.end());
  std::ranges::sort(candidates);
  for (const double candidate : candidates) {
    if (candidate <= best) continue;
    const double loss = share_above(known, candidate) + 1 - share_above(none, candidate);
    if (loss <= least) best = candidate, least = loss;
  }
  return best;
}

double share_above(std::span<const double> scores, double threshold) {
  const auto above = std::ranges::count_if(scores, [&](double score) { return !(score <= threshold); });
  return scores.empty() ? 0 : static_cast<double>(above) / static_cast<double>(scores.size());
}

double area_under_curve(std::span<const double> known, std::span<const double> none) {
  std::vector<double> sorted(known.begin(), known.end());
  std::ranges::sort(sorted);
  double wins = 0;
  for (const double score : none) {
    const auto [first, last] = std::ranges::equal_range(sorted, score);
    wins += static_cast<double>(first - sorted.begin()) + 0.5 * static_cast<double>(last - first);
  }
  return wins / std::max(1.0, static_cast<double>(known.size()) * static_cast<double>(none.size()));
}

}  // namespace fovea::training
