// Fovea: the exact last layer of photos with one label each: multinomial logistic regression.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "train/head_regression.h"

namespace fovea::training {

/// loss_n = -log softmax(logits)[y_n].
class SoftmaxRegression final : public HeadRegression {
 public:
  SoftmaxRegression(const Context& context, const FeatureSet& set);

 private:
  double residual_of_row(std::span<float> logits, std::size_t n, double w) const override;
  [[nodiscard]] double right_of_row(std::span<const float> logits, std::size_t n) const override;

  std::vector<std::int32_t> labels_;
};

}  // namespace fovea::training
