// SPDX-License-Identifier: Apache-2.0
#include "train/logistic_regression.h"

#include <gtest/gtest.h>

#include <cmath>

#include "train/cross_validation.h"
#include "train/golden_file.h"
#include "train/head_gradient.h"

namespace fovea::training {
namespace {

struct Problem {
  std::vector<float> features;
  std::vector<std::int32_t> labels;  // what folds go by
  std::vector<std::uint8_t> targets;
  std::vector<float> weights;
  std::int64_t width = 0;
  std::int64_t classes = 0;
  [[nodiscard]] FeatureSet set() const { return {features, labels, width, classes, targets}; }
};

Problem from_golden(const test::Golden& golden) {
  Problem problem;
  problem.features = test::to_floats(golden.at("features")[0]);
  for (const double target : golden.at("targets")[0]) problem.targets.push_back(target != 0 ? 1 : 0);
  problem.width = static_cast<std::int64_t>(golden.at("shape")[0][1]);
  problem.classes = static_cast<std::int64_t>(golden.at("shape")[0][2]);
  problem.labels.assign(static_cast<std::size_t>(golden.at("shape")[0][0]), 0);
  problem.weights.assign(problem.labels.size(), 1.0F);
  return problem;
}

const Problem& golden_problem() {
  static const Problem problem = from_golden(test::read_golden("train/golden/label_sets.txt"));
  return problem;
}

TEST(LogisticRegression, ReachesTheOptimumOfScikitLearn) {
  const Context context;
  const LogisticRegression regression(context, golden_problem().set());
  const test::Golden golden = test::read_golden("train/golden/label_sets.txt");
  for (const auto& optimum : golden.at("optimum")) {
    auto weights = regression.zero();
    const LbfgsResult result = regression.solve(golden_problem().weights, optimum[0], {}, weights);
    EXPECT_TRUE(result.converged) << optimum[0] << ": " << result.gradient_norm;
    EXPECT_NEAR(result.value, optimum[1], 1e-6 * optimum[1]) << "strength " << optimum[0];
  }
}

// The third derivative of a logistic loss is at most |x|^3 / 10.
TEST(LogisticRegression, GradientAgreesWithFiniteDifferences) {
  const Problem& problem = golden_problem();
  const Context context;
  const LogisticRegression regression(context, problem.set());
  expect_gradient_of_differences(regression, problem.weights, problem.width, problem.classes);
}

TEST(LogisticRegression, ClassesHaveNothingToDoWithEachOther) {
  const Problem& problem = golden_problem();
  const Context context;
  const LogisticRegression all(context, problem.set());
  auto weights = all.zero();
  all.solve(problem.weights, 1e-3, {}, weights);
  const LinearHead together = all.head(weights);
  for (std::size_t k = 0; k < 3; ++k) {
    Problem one = problem;
    one.classes = 1;
    one.targets.clear();
    for (std::size_t i = k; i < problem.targets.size(); i += 3) one.targets.push_back(problem.targets[i]);
    const LogisticRegression alone(context, one.set());
    auto own = alone.zero();
    alone.solve(one.weights, 1e-3, {}, own);
    const LinearHead head = alone.head(own);
    // Both gradients are at most 1e-6 long, and the objective curves by at least the strength: 1e-6 / 1e-3 in scaled units each.
    for (std::size_t d = 0; d < head.weight.size(); ++d) {
      EXPECT_NEAR(head.weight[d], together.weight[k * head.weight.size() + d], 2e-3) << k << ' ' << d;
    }
  }
}

TEST(LogisticRegression, HeldOutLogitsAreThoseOfTheOtherFolds) {
  const Problem& problem = golden_problem();
  const Context context;
  std::vector<std::int32_t> folds;
  for (std::size_t n = 0; n < problem.labels.size(); ++n) folds.push_back(static_cast<std::int32_t>(n % 3));
  const FittedHead fitted = fit_head(context, problem.set(), problem.weights, folds);
  ASSERT_EQ(fitted.held_out_logits.size(), problem.targets.size());
  const LogisticRegression regression(context, problem.set());
  std::vector<float> inside = problem.weights;
  for (std::size_t n = 1; n < inside.size(); n += 3) inside[n] = 0;
  auto weights = regression.zero();
  LbfgsOptions options;
  options.gradient_tolerance = 3e-4;
  regression.solve(inside, fitted.search.chosen().strength, options, weights);
  const std::vector<float> logits = regression.logits(weights);
  for (std::size_t n = 1; n < inside.size(); n += 3) {
    for (std::size_t k = 0; k < 3; ++k) EXPECT_EQ(fitted.held_out_logits[3 * n + k], logits[3 * n + k]);
  }
}

TEST(LogisticRegression, ALabelThatAllOrNoneHaveIsFine) {
  Problem problem = golden_problem();
  for (std::size_t n = 0; n < problem.labels.size(); ++n) {
    problem.targets[3 * n] = 0;
    problem.targets[3 * n + 1] = 1;
  }
  const Context context;
  const LogisticRegression regression(context, problem.set());
  auto weights = regression.zero();
  regression.solve(problem.weights, 1e-3, {}, weights);
  for (const float weight : weights) EXPECT_TRUE(std::isfinite(weight));
  const std::vector<float> logits = regression.logits(weights);
  EXPECT_LT(logits[0], -3);
  EXPECT_GT(logits[1], 3);
}

}  // namespace
}  // namespace fovea::training
