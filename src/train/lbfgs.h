// Fovea: minimum of a smooth function of many variables.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <span>

#include "core/context.h"

namespace fovea::training {

struct LbfgsOptions {
  double gradient_tolerance = 1e-6;  ///< stop when the gradient's Euclidean norm is at most this
  int max_iterations = 500;
  int history = 8;  ///< pairs of steps and gradient changes that are kept
};

struct LbfgsResult {
  double value = 0;
  double gradient_norm = 0;
  int iterations = 0;
  int evaluations = 0;
  bool converged = false;  ///< else: out of iterations, stopped, or at the limit of float precision
};

struct LbfgsProblem {
  /// The function's value at x; its gradient is written to `gradient`.
  std::function<double(std::span<const float> x, std::span<float> gradient)> evaluate;
  /// Multiplies by a fixed, symmetric, positive definite approximation of the inverse Hessian; may be empty.
  std::function<void(std::span<float> vector)> precondition;
};

/// Limited-memory BFGS (D. C. Liu, J. Nocedal, "On the limited memory BFGS method for large scale optimization", 1989) with
/// backtracking. Near the minimum, where values no longer differ in floating point, the slope decides (the approximate Wolfe
/// condition of W. Hager, H. Zhang, "A new conjugate gradient method", 2005). `x` is where it starts and where it ends.
LbfgsResult minimize(const Context& context, const LbfgsProblem& problem, const LbfgsOptions& options, std::span<float> x);

}  // namespace fovea::training
