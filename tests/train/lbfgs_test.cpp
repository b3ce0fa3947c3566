// SPDX-License-Identifier: Apache-2.0
#include "train/lbfgs.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace fovea::training {
namespace {

/// sum_i scale_i (x_i - i)^2 / 2, scales from 1 to `condition`.
LbfgsProblem quadratic(double condition) {
  LbfgsProblem problem;
  problem.evaluate = [condition](std::span<const float> x, std::span<float> gradient) {
    double value = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double scale = std::pow(condition, static_cast<double>(i) / static_cast<double>(x.size() - 1));
      const double distance = static_cast<double>(x[i]) - static_cast<double>(i);
      value += 0.5 * scale * distance * distance;
      gradient[i] = static_cast<float>(scale * distance);
    }
    return value;
  };
  return problem;
}

TEST(Lbfgs, FindsTheMinimumOfAQuadratic) {
  std::vector<float> x(10, 0.0F);
  const LbfgsResult result = minimize({}, quadratic(100), {.gradient_tolerance = 1e-4}, x);
  EXPECT_TRUE(result.converged);
  for (std::size_t i = 0; i < x.size(); ++i) EXPECT_NEAR(x[i], static_cast<double>(i), 1e-4);  // the least scale is 1
}

TEST(Lbfgs, AnExactPreconditionerNeedsOneStep) {
  LbfgsProblem problem = quadratic(1e4);
  problem.precondition = [](std::span<float> v) {
    for (std::size_t i = 0; i < v.size(); ++i) {
      v[i] /= static_cast<float>(std::pow(1e4, static_cast<double>(i) / static_cast<double>(v.size() - 1)));
    }
  };
  std::vector<float> x(10, 0.0F);
  const LbfgsResult result = minimize({}, problem, {.gradient_tolerance = 1e-1}, x);
  EXPECT_TRUE(result.converged);
  EXPECT_LE(result.iterations, 2);
}

TEST(Lbfgs, FollowsRosenbrocksValley) {
  LbfgsProblem problem;
  problem.evaluate = [](std::span<const float> p, std::span<float> gradient) {
    const double x = p[0];
    const double y = p[1];
    gradient[0] = static_cast<float>(-2 * (1 - x) - 400 * x * (y - x * x));
    gradient[1] = static_cast<float>(200 * (y - x * x));
    return (1 - x) * (1 - x) + 100 * (y - x * x) * (y - x * x);
  };
  std::vector<float> x{-1.2F, 1.0F};
  const LbfgsResult result = minimize({}, problem, {.gradient_tolerance = 1e-3}, x);
  EXPECT_TRUE(result.converged);
  EXPECT_NEAR(x[0], 1, 1e-2);
  EXPECT_NEAR(x[1], 1, 1e-2);
}

TEST(Lbfgs, EndsWhereFloatsCanDoNoBetter) {
  std::vector<float> x(10, 0.0F);
  const LbfgsResult result = minimize({}, quadratic(1e6), {.gradient_tolerance = 0, .max_iterations = 100'000}, x);
  EXPECT_LT(result.iterations, 100'000);
}

TEST(Lbfgs, DoesNotWanderWhereValuesAreRounded) {
  const LbfgsProblem exact = quadratic(1e3);
  std::vector<double> norms;
  LbfgsProblem rounded;
  rounded.evaluate = [&](std::span<const float> x, std::span<float> gradient) {
    const double value = exact.evaluate(x, gradient);
    double squares = 0;
    for (float& slope : gradient) {
      // As a sum of many floats is off: by another amount at every point.
      slope += 1e-3F * static_cast<float>(std::sin(1e6 * static_cast<double>(x[0]) + static_cast<double>(norms.size())));
      squares += static_cast<double>(slope) * slope;
    }
    norms.push_back(std::sqrt(squares));
    return static_cast<double>(static_cast<float>(100 + value));
  };
  std::vector<float> x(50, 0.0F);
  const LbfgsResult result = minimize({}, rounded, {.gradient_tolerance = 1e-6, .max_iterations = 5000}, x);
  EXPECT_FALSE(result.converged);
  EXPECT_LT(result.iterations, 300);
  EXPECT_LT(result.gradient_norm, 3 * *std::ranges::min_element(norms));
  for (std::size_t i = 0; i < x.size(); ++i) EXPECT_NEAR(x[i], static_cast<double>(i), 0.02);
}

TEST(Lbfgs, StopsOnRequest) {
  const std::atomic<bool> stop{true};
  Context context;
  context.stop = &stop;
  std::vector<float> x(10, 0.0F);
  const LbfgsResult result = minimize(context, quadratic(10), {}, x);
  EXPECT_FALSE(result.converged);
  EXPECT_EQ(result.iterations, 0);
}

}  // namespace
}  // namespace fovea::training
