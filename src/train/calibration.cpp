// SPDX-License-Identifier: Apache-2.0
#include "train/calibration.h"

#include <algorithm>
#include <cmath>
#include <numbers>

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

double fit_temperature(const Table& logits, std::span<const std::int32_t> labels) {
  if (labels.empty()) return 1;
  constexpr double kRatio = std::numbers::phi - 1;
  double low = 1.0 / 8;
  double high = 8;
  double a = high - kRatio * (high - low);
  double b = low + kRatio * (high - low);
  double loss_a = loss_at(logits, labels, a);
  double loss_b = loss_at(logits, labels, b);
  while (high - low > 1e-4) {
    if (loss_a < loss_b) {
      high = b;
      b = a;
      loss_b = loss_a;
      a = high - kRatio * (high - low);
      loss_a = loss_at(logits, labels, a);
    } else {
      low = a;
      a = b;
      loss_a = loss_b;
      b = low + kRatio * (high - low);
      loss_b = loss_at(logits, labels, b);
    }
  }
  return 2 / (low + high);
}

std::vector<float> probabilities_of(const Table& logits, double temperature) {
  std::vector<float> result = logits.values;
  const auto width = static_cast<std::size_t>(logits.width);
  for (float& z : result) z = static_cast<float>(z / temperature);
  for (std::size_t begin = 0; width > 0 && begin < result.size(); begin += width) {
    softmax_in_place(std::span(result).subspan(begin, width));
  }
  return result;
}

}  // namespace fovea::training
