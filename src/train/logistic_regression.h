// Fovea: the exact last layer of photos with any number of labels: a logistic regression for each class.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "train/head_regression.h"

namespace fovea::training {

/// loss_n = sum_k log(1 + exp(-logit_k)) if photo n has label k, else log(1 + exp(logit_k)). The classes share features and
/// strength and nothing else. `accuracy` is the share of the N K questions that are answered rightly.
class LogisticRegression final : public HeadRegression {
 public:
  /// With set.targets.
  LogisticRegression(const Context& context, const FeatureSet& set);

 private:
  double residual_of_row(std::span<float> logits, std::size_t n, double w) const override;
  [[nodiscard]] double right_of_row(std::span<const float> logits, std::size_t n) const override;

  std::vector<std::uint8_t> targets_;
};

}  // namespace fovea::training
