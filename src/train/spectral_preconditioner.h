// Fovea: an approximation of the inverse Hessian of a linear model with L2, from the largest directions of its features.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/context.h"

namespace fovea::training {

/// The Hessian of softmax regression at W is near c X'X / N + lambda with c the mean of p (1 - p). The features of a network are
/// far from round (their mean alone can hold half of X'X), which slows first-order methods down. Here the kRank largest
/// eigenpairs of X'X / N are found by subspace iteration, and directions beside them are taken to have the smallest of these
/// eigenvalues.
class SpectralPreconditioner {
 public:
  static constexpr std::int64_t kRank = 32;

  /// features (rows, width), row-major.
  SpectralPreconditioner(const Context& context, std::span<const float> features, std::int64_t rows, std::int64_t width);

  /// gradient (width, columns), columns a multiple of kColumnMultiple: multiplied in place by the approximate inverse of
  /// curvature X'X / N + lambda.
  void apply(const Context& context, double curvature, double lambda, std::int64_t columns, std::span<float> gradient) const;

  [[nodiscard]] std::span<const double> eigenvalues() const { return eigenvalues_; }  ///< in no order

 private:
  std::int64_t width_;
  std::vector<double> eigenvalues_;
  std::vector<float> basis_;  ///< (width, kRank), orthonormal columns
};

}  // namespace fovea::training
