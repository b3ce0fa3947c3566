// SPDX-License-Identifier: Apache-2.0
#include "train/metrics.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace fovea::training {

Interval wilson_interval(std::int64_t successes, std::int64_t trials) {
  if (trials <= 0) return {};
  constexpr double kZ = 1.959963984540054;  // the 97.5 % point of the normal distribution
  const double n = static_cast<double>(trials);
  const double p = static_cast<double>(successes) / n;
  const double z2 = kZ * kZ;
  const double centre = p + z2 / (2 * n);
  const double half = kZ * std::sqrt(p * (1 - p) / n + z2 / (4 * n * n));
  const double scale = 1 + z2 / n;
  // All right or all wrong: the bound is p itself, which rounding may just miss.
  return {successes == 0 ? 0.0 : (centre - half) / scale, successes == trials ? 1.0 : (centre + half) / scale};
}

Interval interval_of(double share, std::int64_t trials) {
  return wilson_interval(std::llround(share * static_cast<double>(trials)), trials);
}

std::size_t argmax(std::span<const float> scores) {
  return static_cast<std::size_t>(std::max_element(scores.begin(), scores.end()) - scores.begin());
}

std::int64_t rank_of(std::span<const float> scores, std::size_t label) {
  std::int64_t rank = 0;
  for (std::size_t k = 0; k < scores.size(); ++k) {
    if (scores[k] > scores[label] || (scores[k] == scores[label] && k < label)) ++rank;
  }
  return rank;
}

void softmax_in_place(std::span<float> logits) {
  if (logits.empty()) return;
  const double largest = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (const float z : logits) sum += std::exp(z - largest);
  for (float& z : logits) z = static_cast<float>(std::exp(z - largest) / sum);
}

double accuracy(const Predictions& predictions) {
  if (predictions.labels.empty()) return 0;
  std::int64_t right = 0;
  for (std::size_t i = 0; i < predictions.labels.size(); ++i) {
    right += argmax(predictions.row(i)) == static_cast<std::size_t>(predictions.labels[i]) ? 1 : 0;
  }
  return static_cast<double>(right) / static_cast<double>(predictions.labels.size());
}

double log_loss(const Predictions& predictions) {
  // A probability that rounded to zero still costs something finite: that of the smallest normal float.
  constexpr double kSmallest = 0x1p-126;
  double sum = 0;
  for (std::size_t i = 0; i < predictions.labels.size(); ++i) {
    const double p = predictions.row(i)[static_cast<std::size_t>(predictions.labels[i])];
    sum -= std::log(std::max(p, kSmallest));
  }
  return predictions.labels.empty() ? 0 : sum / static_cast<double>(predictions.labels.size());
}

double calibration_error(const Predictions& predictions, int bins) {
  struct Bin {
    double confidence = 0;
    double right = 0;
  };
  std::vector<Bin> table(static_cast<std::size_t>(bins));
  for (std::size_t i = 0; i < predictions.labels.size(); ++i) {
    const auto row = predictions.row(i);
    const std::size_t guess = argmax(row);
    const double confidence = row[guess];
    const auto index = static_cast<std::size_t>(std::clamp(static_cast<int>(confidence * bins), 0, bins - 1));
    table[index].confidence += confidence;
    table[index].right += guess == static_cast<std::size_t>(predictions.labels[i]) ? 1 : 0;
  }
  double error = 0;
  for (const Bin& bin : table) error += std::abs(bin.right - bin.confidence);
  return predictions.labels.empty() ? 0 : error / static_cast<double>(predictions.labels.size());
}

std::vector<CoveragePoint> coverage_curve(const Predictions& predictions) {
  const std::size_t n = predictions.labels.size();
  std::vector<std::size_t> order(n);
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto confidence = [&](std::size_t i) { return predictions.row(i)[argmax(predictions.row(i))]; };
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return confidence(a) > confidence(b); });
  std::vector<std::int64_t> right(n + 1, 0);
  for (std::size_t i = 0; i < n; ++i) {
    const bool hit = argmax(predictions.row(order[i])) == static_cast<std::size_t>(predictions.labels[order[i]]);
    right[i + 1] = right[i] + (hit ? 1 : 0);
  }
  std::vector<CoveragePoint> curve;
  for (std::size_t tenth = 10; n > 0 && tenth >= 1; --tenth) {
    const std::size_t kept = std::max<std::size_t>(1, (n * tenth + 5) / 10);
    curve.push_back({confidence(order[kept - 1]), static_cast<double>(kept) / static_cast<double>(n),
                     static_cast<double>(right[kept]) / static_cast<double>(kept)});
  }
  return curve;
}

namespace {

std::vector<ClassMetrics> class_metrics(const std::vector<std::vector<std::int64_t>>& confusion,
                                        std::span<const std::string> names) {
  std::vector<ClassMetrics> result;
  for (std::size_t k = 0; k < names.size(); ++k) {
    std::int64_t called = 0;
    for (const auto& row : confusion) called += row[k];
    const std::int64_t photos = std::accumulate(confusion[k].begin(), confusion[k].end(), std::int64_t{0});
    const auto hits = static_cast<double>(confusion[k][k]);
    ClassMetrics metrics{names[k], photos};
    if (called > 0) metrics.precision = hits / static_cast<double>(called);
    if (photos > 0) metrics.recall = hits / static_cast<double>(photos);
    if (called + photos > 0) metrics.f1 = 2 * hits / static_cast<double>(called + photos);
    result.push_back(std::move(metrics));
  }
  return result;
}

/// Mean of one figure over the classes that have photos.
double class_mean(std::span<const ClassMetrics> classes, double ClassMetrics::*figure) {
  double sum = 0;
  int present = 0;
  for (const ClassMetrics& c : classes) {
    if (c.photos == 0) continue;
    sum += c.*figure;
    ++present;
  }
  return present == 0 ? 0 : sum / present;
}

}  // namespace

Evaluation evaluation_of(const Predictions& predictions, std::span<const std::string> classes, int top) {
  Evaluation result;
  result.photos = static_cast<std::int64_t>(predictions.labels.size());
  result.confusion.assign(classes.size(), std::vector<std::int64_t>(classes.size(), 0));
  std::int64_t right = 0;
  std::int64_t among_top = 0;
  for (std::size_t i = 0; i < predictions.labels.size(); ++i) {
    const auto row = predictions.row(i);
    const auto label = static_cast<std::size_t>(predictions.labels[i]);
    ++result.confusion[label][argmax(row)];
    const std::int64_t rank = rank_of(row, label);
    right += rank == 0 ? 1 : 0;
    among_top += rank < top ? 1 : 0;
  }
  const double n = std::max<double>(1, static_cast<double>(result.photos));
  result.accuracy = static_cast<double>(right) / n;
  result.interval = wilson_interval(right, result.photos);
  result.top = top;
  result.top_accuracy = static_cast<double>(among_top) / n;
  result.log_loss = log_loss(predictions);
  result.calibration_error = calibration_error(predictions);
  result.classes = class_metrics(result.confusion, classes);
  result.balanced_accuracy = class_mean(result.classes, &ClassMetrics::recall);
  result.macro_f1 = class_mean(result.classes, &ClassMetrics::f1);
  result.coverage = coverage_curve(predictions);
  return result;
}

}  // namespace fovea::training
