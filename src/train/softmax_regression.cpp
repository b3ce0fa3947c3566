// SPDX-License-Identifier: Apache-2.0
#include "train/softmax_regression.h"

#include <algorithm>
#include <cmath>

#include "train/metrics.h"

namespace fovea::training {
namespace {

/// p (1 - p) at equal probabilities.
double typical_curvature(std::int64_t classes) {
  const double share = 1.0 / static_cast<double>(std::max<std::int64_t>(classes, 2));
  return share * (1 - share);
}

}  // namespace

SoftmaxRegression::SoftmaxRegression(const Context& context, const FeatureSet& set)
    : HeadRegression(context, set, typical_curvature(set.classes)), labels_(set.labels.begin(), set.labels.end()) {}

double SoftmaxRegression::residual_of_row(std::span<float> logits, std::size_t n, double w) const {
  const auto label = static_cast<std::size_t>(labels_[n]);
  const double largest = *std::ranges::max_element(logits);
  const double target = static_cast<double>(logits[label]) - largest;
  double sum = 0;
  for (float& z : logits) {
    z = static_cast<float>(std::exp(z - largest));
    sum += z;
  }
  const auto factor = static_cast<float>(w / sum);
  for (float& z : logits) z *= factor;
  logits[label] -= static_cast<float>(w);
  return w * (std::log(sum) - target);
}

double SoftmaxRegression::right_of_row(std::span<const float> logits, std::size_t n) const {
  return argmax(logits) == static_cast<std::size_t>(labels_[n]) ? 1 : 0;
}

}  // namespace fovea::training
