// SPDX-License-Identifier: Apache-2.0
#include "model/probabilities.h"

#include <algorithm>
#include <cmath>

namespace fovea {

std::vector<double> probabilities_of(std::span<const float> logits, double temperature) {
  const double largest = *std::ranges::max_element(logits);
  std::vector<double> probabilities;
  probabilities.reserve(logits.size());
  double sum = 0;
  for (const float logit : logits) {
    probabilities.push_back(std::exp((logit - largest) / temperature));
    sum += probabilities.back();
  }
  for (double& probability : probabilities) probability /= sum;
  return probabilities;
}

}  // namespace fovea
