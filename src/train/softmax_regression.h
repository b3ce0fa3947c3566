// Fovea: the exact last layer: multinomial logistic regression with L2 on cached features.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/context.h"
#include "train/lbfgs.h"
#include "train/spectral_preconditioner.h"

namespace fovea::training {

/// A dense layer: logits = weight x + bias.
struct LinearHead {
  std::vector<float> weight;  ///< (classes, width)
  std::vector<float> bias;    ///< (classes)
};

/// Cached features of N photos and their labels. Features are used as they are but for one common factor: standardising each of
/// them loses one to three points of accuracy on photos.
struct FeatureSet {
  std::span<const float> features;       ///< (N, width)
  std::span<const std::int32_t> labels;  ///< (N), each in [0, classes)
  std::int64_t width = 0;
  std::int64_t classes = 0;
  [[nodiscard]] std::int64_t rows() const { return static_cast<std::int64_t>(labels.size()); }
};

/// Minimises  sum_n w_n -log softmax(W x_n / s + b)[y_n] / sum_n w_n  +  strength / 2 |W|^2  over W and b; the bias is free.
/// s is the root of the mean squared length of the features, so a strength means the same for every network and data set.
class SoftmaxRegression {
 public:
  /// Keeps two scaled copies of the features; the spans need not outlive this, the context must. At least one row, and finite
  /// features.
  SoftmaxRegression(const Context& context, const FeatureSet& set);

  /// (width + 1, padded classes), row-major; the last row is the bias. In scaled units.
  using Weights = std::vector<float>;
  [[nodiscard]] Weights zero() const { return Weights(static_cast<std::size_t>((width_ + 1) * columns_)); }

  /// From `weights` on to the minimum. Rows of weight 0 take no part. strength > 0.
  LbfgsResult solve(std::span<const float> row_weights, double strength, const LbfgsOptions& options, Weights& weights) const;

  /// The objective and its gradient (what solve minimises).
  double evaluate(std::span<const float> row_weights, double strength, std::span<const float> weights,
                  std::span<float> gradient) const;

  /// Weighted mean loss and accuracy on the rows of positive weight, without the regularisation.
  struct Score {
    double loss = 0;
    double accuracy = 0;
    double loss_variance = 0;  ///< between photos
  };
  [[nodiscard]] Score score(std::span<const float> row_weights, const Weights& weights) const;

  /// In the units of the features as given.
  [[nodiscard]] LinearHead head(const Weights& weights) const;

 private:
  void logits(std::span<const float> weights, std::vector<float>& out) const;

  const Context& context_;
  std::int64_t rows_;
  std::int64_t width_;
  std::int64_t classes_;
  std::int64_t columns_;
  double scale_ = 1;
  std::vector<float> features_;             // (rows, width + 1): scaled, and a last column of ones
  std::vector<float> features_transposed_;  // a second copy: read along its rows, the gradient takes half the time
  std::vector<std::int32_t> labels_;
  SpectralPreconditioner preconditioner_;
};

}  // namespace fovea::training
