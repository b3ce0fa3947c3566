// Fovea: the exact last layer: a linear model with L2 on cached features, whatever its loss.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
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
  /// (N, classes), 0 or 1: of photos with any number of labels, and then `labels` is not looked at. Else empty.
  std::span<const std::uint8_t> targets = {};
  [[nodiscard]] std::int64_t rows() const { return static_cast<std::int64_t>(labels.size()); }
};

/// Minimises  sum_n w_n loss_n(W x_n / s + b) / sum_n w_n  +  strength / 2 |W|^2  over W and b; the bias is free.
/// s is the root of the mean squared length of the features, so a strength means the same for every network and data set.
class HeadRegression {
 public:
  HeadRegression(const HeadRegression&) = delete;
  HeadRegression& operator=(const HeadRegression&) = delete;
  virtual ~HeadRegression() = default;

  /// (width + 1, padded classes), row-major; the last row is the bias. In scaled units.
  using Weights = std::vector<float>;
  [[nodiscard]] std::int64_t rows() const { return rows_; }
  [[nodiscard]] std::int64_t width() const { return width_; }
  [[nodiscard]] std::int64_t classes() const { return classes_; }
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

  /// (N, classes): of every row.
  [[nodiscard]] std::vector<float> logits(const Weights& weights) const;

  /// In the units of the features as given.
  [[nodiscard]] LinearHead head(const Weights& weights) const;

 protected:
  /// Keeps two scaled copies of the features; the spans need not outlive this, the context must. At least one row, and finite
  /// features. `curvature`: of the loss by a logit, typically; the solver scales it to what it finds.
  HeadRegression(const Context& context, const FeatureSet& set, double curvature);

 private:
  /// Turns logits (classes) into w times the gradient of row n's loss; gives w times the loss.
  virtual double residual_of_row(std::span<float> logits, std::size_t n, double w) const = 0;
  /// Share of what the logits answer about row n that is right.
  [[nodiscard]] virtual double right_of_row(std::span<const float> logits, std::size_t n) const = 0;

  void padded_logits(std::span<const float> weights, std::vector<float>& out) const;

  const Context& context_;
  std::int64_t rows_;
  std::int64_t width_;
  std::int64_t classes_;
  std::int64_t columns_;
  double curvature_;
  double scale_ = 1;
  std::vector<float> features_;             // (rows, width + 1): scaled, and a last column of ones
  std::vector<float> features_transposed_;  // a second copy: read along its rows, the gradient takes half the time
  SpectralPreconditioner preconditioner_;
};

/// Softmax regression; with `targets`, a logistic regression for each class.
[[nodiscard]] std::unique_ptr<HeadRegression> make_regression(const Context& context, const FeatureSet& set);

}  // namespace fovea::training
