// SPDX-License-Identifier: Apache-2.0
#include "model/probabilities.h"

#include <algorithm>
#include <cmath>

namespace fovea {

double mapped(std::span<const Calibration::Knot> map, double stated) {
  if (map.empty()) return stated;
  const auto above = std::ranges::lower_bound(map, stated, {}, &Calibration::Knot::stated);
  if (above == map.begin()) return above->actual;
  const auto below = above - 1;
  if (above == map.end()) return below->actual;
  const double share = (stated - below->stated) / (above->stated - below->stated);
  return below->actual + share * (above->actual - below->actual);
}

std::vector<double> probabilities_of(std::span<const float> logits, const Calibration& calibration) {
  const auto top = static_cast<std::size_t>(std::ranges::max_element(logits) - logits.begin());
  const double largest = logits[top];
  std::vector<double> probabilities;
  probabilities.reserve(logits.size());
  double sum = 0;
  for (const float logit : logits) {
    probabilities.push_back(std::exp((logit - largest) / calibration.temperature));
    sum += probabilities.back();
  }
  for (double& probability : probabilities) probability /= sum;
  if (calibration.map.empty()) return probabilities;

  const double stated = probabilities[top];
  const double equal = 1 / static_cast<double>(logits.size());
  const double wanted = std::clamp(mapped(calibration.map, stated), std::min(equal, stated), 1.0);
  if (wanted < stated) {
    const double kept = (wanted - equal) / (stated - equal);
    for (double& probability : probabilities) probability = equal + kept * (probability - equal);
  } else if (stated < 1) {
    const double kept = (1 - wanted) / (1 - stated);
    for (double& probability : probabilities) probability *= kept;
    probabilities[top] = wanted;
  }
  return probabilities;
}

std::vector<double> independent_probabilities_of(std::span<const float> logits, double temperature) {
  std::vector<double> probabilities;
  probabilities.reserve(logits.size());
  for (const float logit : logits) probabilities.push_back(1 / (1 + std::exp(-logit / temperature)));
  return probabilities;
}

}  // namespace fovea
