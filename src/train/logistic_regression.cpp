// SPDX-License-Identifier: Apache-2.0
#include "train/logistic_regression.h"

#include <algorithm>
#include <cassert>
#include <cmath>

namespace fovea::training {
namespace {

/// Mean over the classes of p (1 - p) at their own shares of the photos.
double typical_curvature(const FeatureSet& set) {
  constexpr double kLeast = 1e-3;
  const auto classes = static_cast<std::size_t>(set.classes);
  double sum = 0;
  for (std::size_t k = 0; k < classes; ++k) {
    double photos = 0;
    for (std::size_t i = k; i < set.targets.size(); i += classes) photos += set.targets[i];
    const double share = photos / static_cast<double>(set.rows());
    sum += share * (1 - share);
  }
  return std::max(kLeast, sum / static_cast<double>(classes));
}

}  // namespace

LogisticRegression::LogisticRegression(const Context& context, const FeatureSet& set)
    : HeadRegression(context, set, typical_curvature(set)), targets_(set.targets.begin(), set.targets.end()) {
  assert(set.targets.size() == set.labels.size() * static_cast<std::size_t>(set.classes));
}

double LogisticRegression::residual_of_row(std::span<float> logits, std::size_t n, double w) const {
  const std::uint8_t* targets = targets_.data() + n * logits.size();
  double loss = 0;
  for (std::size_t k = 0; k < logits.size(); ++k) {
    const double z = logits[k];
    const double rest = std::exp(-std::abs(z));
    loss += std::max(z, 0.0) - targets[k] * z + std::log1p(rest);
    logits[k] = static_cast<float>(w * ((z < 0 ? rest : 1) / (1 + rest) - targets[k]));
  }
  return w * loss;
}

double LogisticRegression::right_of_row(std::span<const float> logits, std::size_t n) const {
  std::size_t right = 0;
  for (std::size_t k = 0; k < logits.size(); ++k) right += (logits[k] > 0) == (targets_[n * logits.size() + k] != 0) ? 1 : 0;
  return static_cast<double>(right) / static_cast<double>(logits.size());
}

}  // namespace fovea::training
