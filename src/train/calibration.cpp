// SPDX-License-Identifier: Apache-2.0
#include "train/calibration.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

#include "train/cross_validation.h"
#include "train/fold_part.h"
#include "train/metrics.h"

namespace fovea::training {
namespace {

double loss_at(const Table& logits, std::span<const std::int32_t> labels, double inverse) {
  double total = 0;
  for (std::size_t n = 0; n < labels.size(); ++n) {
    const auto row = logits.row(static_cast<std::int64_t>(n));
    const double largest = *std::ranges::max_element(row);
    double sum = 0;
    for (const float z : row) sum += std::exp((z - largest) * inverse);
    total += std::log(sum) - (row[static_cast<std::size_t>(labels[n])] - largest) * inverse;
  }
  return total;
}

}  // namespace

double least_temperature(const std::function<double(double inverse)>& loss) {
  constexpr double kRatio = std::numbers::phi - 1;
  double low = 1.0 / 8;
  double high = 8;
  double a = high - kRatio * (high - low);
  double b = low + kRatio * (high - low);
  double loss_a = loss(a);
  double loss_b = loss(b);
  while (high - low > 1e-4) {
    if (loss_a < loss_b) {
      high = b;
      b = a;
      loss_b = loss_a;
      a = high - kRatio * (high - low);
      loss_a = loss(a);
    } else {
      low = a;
      a = b;
      loss_a = loss_b;
      b = low + kRatio * (high - low);
      loss_b = loss(b);
    }
  }
  return 2 / (low + high);
}

double fit_temperature(const Table& logits, std::span<const std::int32_t> labels) {
  if (labels.empty()) return 1;
  return least_temperature([&](double inverse) { return loss_at(logits, labels, inverse); });
}

std::vector<float> probabilities_of(const Table& logits, const Calibration& calibration) {
  std::vector<float> result;
  result.reserve(logits.values.size());
  for (std::int64_t n = 0; n < logits.rows(); ++n) {
    for (const double p : fovea::probabilities_of(logits.row(n), calibration)) result.push_back(static_cast<float>(p));
  }
  return result;
}

std::vector<Calibration::Knot> fit_confidence(std::span<const double> stated, std::span<const double> right) {
  constexpr std::size_t kMostKnots = 64;
  std::vector<std::size_t> order(stated.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, {}, [&](std::size_t n) { return stated[n]; });
  struct Block {
    double photos = 0;
    double actual = 0;  // sum
    std::size_t knots = 0;
    [[nodiscard]] double mean() const { return actual / photos; }
  };
  std::vector<Calibration::Knot> knots;
  std::vector<Block> blocks;
  const std::size_t count = std::min(kMostKnots, order.size());
  for (std::size_t k = 0; k < count; ++k) {
    const std::size_t begin = k * order.size() / count;
    const std::size_t end = (k + 1) * order.size() / count;
    Block block{static_cast<double>(end - begin), 0, 1};
    double mean = 0;
    for (std::size_t i = begin; i < end; ++i) {
      mean += stated[order[i]] / block.photos;
      block.actual += (right[order[i]] + stated[order[i]]) / 2;
    }
    knots.push_back({mean, 0});
    while (!blocks.empty() && blocks.back().mean() >= block.mean()) {
      block.photos += blocks.back().photos;
      block.actual += blocks.back().actual;
      block.knots += blocks.back().knots;
      blocks.pop_back();
    }
    blocks.push_back(block);
  }
  std::size_t next = 0;
  for (const Block& block : blocks) {
    for (std::size_t k = 0; k < block.knots; ++k) knots[next++].actual = std::clamp(block.mean(), 0.0, 1.0);
  }
  const auto repeated = std::ranges::unique(knots, {}, &Calibration::Knot::stated);
  knots.erase(repeated.begin(), repeated.end());
  return knots;
}

namespace {

/// The largest probability of each row, and whether it is the label's.
struct Sureness {
  std::vector<double> stated;
  std::vector<double> right;
};

Sureness sureness_of(const Table& logits, std::span<const std::int32_t> labels, const Calibration& calibration) {
  Sureness result;
  const std::vector<float> probabilities = probabilities_of(logits, calibration);
  const Predictions predictions{probabilities, labels};
  for (std::size_t n = 0; n < labels.size(); ++n) {
    const std::size_t guess = argmax(predictions.row(n));
    result.stated.push_back(predictions.row(n)[guess]);
    result.right.push_back(guess == static_cast<std::size_t>(labels[n]) ? 1.0 : 0.0);
  }
  return result;
}

Calibration fit(const Table& logits, std::span<const std::int32_t> labels, bool with_map) {
  Calibration calibration{fit_temperature(logits, labels), {}};
  if (!with_map) return calibration;
  const Sureness sure = sureness_of(logits, labels, calibration);
  calibration.map = fit_confidence(sure.stated, sure.right);
  return calibration;
}

/// What is said of each photo by a fit on the folds that it is not in.
struct CrossFitted {
  std::vector<float> probabilities;
  std::vector<std::int32_t> labels;
  std::vector<double> squares;  ///< of what the largest probability was wrong by
};

CrossFitted cross_fit(const Table& logits, std::span<const std::int32_t> labels, std::span<const std::int32_t> folds, int count,
                      bool with_map) {
  CrossFitted result;
  for (std::int32_t fold = 0; fold < count; ++fold) {
    const auto others = part_of(logits, labels, folds, fold, false);
    const auto own = part_of(logits, labels, folds, fold, true);
    const Calibration calibration = fit(others.logits, others.truth, with_map);
    const auto rows = probabilities_of(own.logits, calibration);
    result.probabilities.insert(result.probabilities.end(), rows.begin(), rows.end());
    result.labels.insert(result.labels.end(), own.truth.begin(), own.truth.end());
    const Sureness sure = sureness_of(own.logits, own.truth, calibration);
    for (std::size_t n = 0; n < sure.stated.size(); ++n) {
      result.squares.push_back((sure.stated[n] - sure.right[n]) * (sure.stated[n] - sure.right[n]));
    }
  }
  return result;
}

/// Whether `a` is larger than `b` on average, by more than a standard error of the mean difference.
bool clearly_larger(std::span<const double> a, std::span<const double> b) {
  const auto n = static_cast<double>(a.size());
  double sum = 0;
  double squares = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    sum += a[i] - b[i];
    squares += (a[i] - b[i]) * (a[i] - b[i]);
  }
  const double mean = sum / n;
  return mean > std::sqrt(std::max(0.0, squares / n - mean * mean) / n);
}

double error_of(const Table& logits, std::span<const std::int32_t> labels, const Calibration& calibration) {
  const std::vector<float> probabilities = probabilities_of(logits, calibration);
  return calibration_error({probabilities, labels});
}

}  // namespace

FittedCalibration fit_calibration(const Table& logits, std::span<const std::int32_t> labels, std::uint64_t seed) {
  constexpr int kFolds = 5;
  constexpr std::size_t kFewestForMap = 50;
  const auto folds = stratified_folds(labels, {}, kFolds, seed);
  CrossFitted left_out = cross_fit(logits, labels, folds, kFolds, false);
  CalibrationReport report;
  if (labels.size() >= kFewestForMap) {
    CrossFitted mapped = cross_fit(logits, labels, folds, kFolds, true);
    report.mapped = !clearly_larger(mapped.squares, left_out.squares);
    if (report.mapped) left_out = std::move(mapped);
  }
  Calibration calibration = fit(logits, labels, report.mapped);
  report.temperature = calibration.temperature;
  report.photos = static_cast<std::int64_t>(labels.size());
  report.error_before = error_of(logits, labels, Calibration{});
  report.error = error_of(logits, labels, calibration);
  report.error_cross_fitted = calibration_error({left_out.probabilities, left_out.labels});
  return {std::move(calibration), report};
}

}  // namespace fovea::training
