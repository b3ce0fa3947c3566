// SPDX-License-Identifier: Apache-2.0
#include "train/rejection.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "core/parallel.h"
#include "train/matrix_product.h"
#include "train/principal_directions.h"

namespace fovea::training {
namespace {

constexpr std::int64_t kMostDirections = 64;
constexpr std::int64_t kRowsPerDirection = 8;  // fewer, and a direction's spread is a guess
constexpr double kShrinkage = 0.1;             // of the covariance towards a multiple of the identity
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

/// Means of the rows of each label that occurs, one after the other, and which of them belongs to each row.
struct Centres {
  std::vector<double> means;
  std::vector<std::size_t> of_row;
};

Centres centres_of(const Table& inside, std::span<const std::int32_t> labels) {
  std::map<std::int32_t, std::size_t> number;
  for (const std::int32_t label : labels) number.emplace(label, 0);
  std::size_t next = 0;
  for (auto& [label, position] : number) position = next++;
  const auto rank = static_cast<std::size_t>(inside.width);
  Centres centres{std::vector<double>(number.size() * rank), {}};
  std::vector<double> counts(number.size());
  for (std::size_t n = 0; n < labels.size(); ++n) {
    const std::size_t k = number[labels[n]];
    centres.of_row.push_back(k);
    ++counts[k];
    const auto row = inside.row(static_cast<std::int64_t>(n));
    for (std::size_t r = 0; r < rank; ++r) centres.means[k * rank + r] += row[r];
  }
  for (std::size_t i = 0; i < centres.means.size(); ++i) centres.means[i] /= counts[i / rank];
  return centres;
}

/// Shared covariance (rank, rank) of the rows around their centres.
std::vector<double> covariance_of(const Table& inside, const Centres& centres) {
  const auto rank = static_cast<std::size_t>(inside.width);
  std::vector<double> covariance(rank * rank);
  std::vector<double> off(rank);
  for (std::size_t n = 0; n < centres.of_row.size(); ++n) {
    const auto row = inside.row(static_cast<std::int64_t>(n));
    for (std::size_t r = 0; r < rank; ++r) off[r] = row[r] - centres.means[centres.of_row[n] * rank + r];
    for (std::size_t r = 0; r < rank; ++r) {
      for (std::size_t c = 0; c <= r; ++c) covariance[r * rank + c] += off[r] * off[c];
    }
  }
  const std::size_t classes = centres.means.size() / rank;
  const auto freedom = static_cast<double>(std::max<std::size_t>(1, centres.of_row.size() - classes));
  double trace = 0;
  for (std::size_t r = 0; r < rank; ++r) trace += covariance[r * rank + r] / freedom;
  for (std::size_t r = 0; r < rank; ++r) {
    for (std::size_t c = 0; c <= r; ++c) covariance[r * rank + c] *= (1 - kShrinkage) / freedom;
    covariance[r * rank + r] += kShrinkage * trace / static_cast<double>(rank);
  }
  return covariance;
}

/// The inverse of the lower factor L of a positive definite matrix L L' (its lower half is read): |inverse z|^2 = z' matrix^-1 z.
std::vector<double> inverse_factor(std::vector<double> matrix, std::size_t rank) {
  for (std::size_t r = 0; r < rank; ++r) {
    for (std::size_t c = 0; c <= r; ++c) {
      double sum = matrix[r * rank + c];
      for (std::size_t j = 0; j < c; ++j) sum -= matrix[r * rank + j] * matrix[c * rank + j];
      matrix[r * rank + c] = r == c ? std::sqrt(sum) : sum / matrix[c * rank + c];
    }
  }
  std::vector<double> inverse(rank * rank);
  for (std::size_t c = 0; c < rank; ++c) {
    for (std::size_t r = c; r < rank; ++r) {
      double sum = r == c ? 1 : 0;
      for (std::size_t j = c; j < r; ++j) sum -= matrix[r * rank + j] * inverse[j * rank + c];
      inverse[r * rank + c] = sum / matrix[r * rank + r];
    }
  }
  return inverse;
}

}  // namespace

namespace {

std::optional<Rejection> fit(const Context& context, const Table& features, std::span<const std::int32_t> labels,
                             std::int64_t rank) {
  const std::int64_t rows = features.rows();
  if (rows <= rank) return std::nullopt;
  Table centred = features;
  Rejection result;
  result.mean = normalise(centred);
  const auto directions = principal_directions(context, centred.values, rows, centred.width, rank);
  result.basis = transposed(directions.basis, centred.width);
  Table inside{rank, std::vector<float>(static_cast<std::size_t>(rows * rank))};
  multiply(context, {rows, rank, centred.width}, centred.values, directions.basis, inside.values);

  const auto width = static_cast<std::size_t>(rank);
  const Centres centres = centres_of(inside, labels);
  const std::vector<double> covariance = covariance_of(inside, centres);
  const std::vector<double> whitening = inverse_factor(covariance, width);
  result.whitening.assign(whitening.begin(), whitening.end());
  for (std::size_t k = 0; k * width < centres.means.size(); ++k) {
    for (std::size_t r = 0; r < width; ++r) {
      double sum = 0;
      for (std::size_t c = 0; c <= r; ++c) sum += whitening[r * width + c] * centres.means[k * width + c];
      result.centres.push_back(static_cast<float>(sum));
    }
  }
  double total = 0;
  double kept = 0;
  for (const float x : centred.values) total += static_cast<double>(x) * x;
  for (const float z : inside.values) kept += static_cast<double>(z) * z;
  result.rest = (total - kept) / static_cast<double>(rows);
  for (const float value : result.whitening) {
    if (!std::isfinite(value)) return std::nullopt;  // photos that are all alike
  }
  return result.rest > 1e-9 ? std::optional(std::move(result)) : std::nullopt;
}

}  // namespace

std::optional<Rejection> fit_rejection(const Context& context, const Table& features, std::span<const std::int32_t> labels) {
  return fit(context, features, labels, directions_for(features.rows()));
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

std::vector<double> held_out_scores(const Context& context, const Table& features, std::span<const std::int32_t> labels,
                                    std::span<const std::int32_t> folds) {
  std::vector<double> scores(labels.size());
  const std::int32_t count = folds.empty() ? 0 : *std::ranges::max_element(folds) + 1;
  for (std::int32_t fold = 0; fold < count; ++fold) {
    Table inside{features.width, {}};
    std::vector<std::int32_t> inside_labels;
    for (std::size_t n = 0; n < folds.size(); ++n) {
      if (folds[n] == fold) continue;
      const auto row = features.row(static_cast<std::int64_t>(n));
      inside.values.insert(inside.values.end(), row.begin(), row.end());
      inside_labels.push_back(labels[n]);
    }
    // As many directions as for all rows: scores of another rank would not be comparable.
    const auto fitted = fit(context, inside, inside_labels, directions_for(features.rows()));
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
