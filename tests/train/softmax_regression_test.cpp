// SPDX-License-Identifier: Apache-2.0
#include "train/softmax_regression.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/rng.h"
#include "train/golden_file.h"
#include "train/head_gradient.h"
#include "train/metrics.h"

namespace fovea::training {
namespace {

struct Problem {
  std::vector<float> features;
  std::vector<std::int32_t> labels;
  std::vector<float> weights;
  std::int64_t width = 0;
  std::int64_t classes = 0;
  [[nodiscard]] FeatureSet set() const { return {features, labels, width, classes}; }
};

Problem from_golden(const test::Golden& golden) {
  Problem problem;
  problem.features = test::to_floats(golden.at("features")[0]);
  for (const double label : golden.at("labels")[0]) problem.labels.push_back(static_cast<std::int32_t>(label));
  problem.width = static_cast<std::int64_t>(golden.at("shape")[0][1]);
  problem.classes = static_cast<std::int64_t>(golden.at("shape")[0][2]);
  problem.weights.assign(problem.labels.size(), 1.0F);
  return problem;
}

/// Features like a network's: not negative, with a common part.
Problem synthetic(std::int64_t rows, std::int64_t width, std::int64_t classes) {
  Problem problem{{}, {}, std::vector<float>(static_cast<std::size_t>(rows), 1.0F), width, classes};
  for (std::int64_t n = 0; n < rows; ++n) {
    const std::int64_t label = n % classes;
    problem.labels.push_back(static_cast<std::int32_t>(label));
    Rng centre(5, 0, static_cast<std::uint32_t>(label), 1);
    Rng own(5, 0, static_cast<std::uint32_t>(n), 2);
    for (std::int64_t d = 0; d < width; ++d) {
      problem.features.push_back(std::max(0.0F, 0.5F + 0.7F * centre.normal() + own.normal()));
    }
  }
  return problem;
}

TEST(SoftmaxRegression, ReachesTheOptimumOfScikitLearn) {
  const test::Golden golden = test::read_golden("train/golden/softmax_regression.txt");
  const Problem problem = from_golden(golden);
  const Context context;
  const SoftmaxRegression regression(context, problem.set());
  for (const auto& optimum : golden.at("optimum")) {
    auto weights = regression.zero();
    const LbfgsResult result = regression.solve(problem.weights, optimum[0], {}, weights);
    EXPECT_TRUE(result.converged) << optimum[0] << ": " << result.gradient_norm;
    EXPECT_NEAR(result.value, optimum[1], 1e-6 * optimum[1]) << "strength " << optimum[0];
  }
}

TEST(SoftmaxRegression, GradientAgreesWithFiniteDifferences) {
  const Problem problem = synthetic(40, 7, 3);
  const Context context;
  const SoftmaxRegression regression(context, problem.set());
  expect_gradient_of_differences(regression, problem.weights, 7, 3);
}

TEST(SoftmaxRegression, TheSameBitsForAnyNumberOfThreads) {
  const Problem problem = synthetic(300, 90, 5);
  std::vector<SoftmaxRegression::Weights> results;
  for (const int threads : {1, 2, 3, 8}) {
    Context context;
    context.threads = threads;
    const SoftmaxRegression regression(context, problem.set());
    results.push_back(regression.zero());
    regression.solve(problem.weights, 1e-3, {}, results.back());
  }
  for (const auto& result : results) EXPECT_EQ(result, results[0]);
}

TEST(SoftmaxRegression, ARowOfWeightZeroIsAsIfItWereNotThere) {
  Problem with = synthetic(60, 10, 3);
  const Context context;
  const SoftmaxRegression regression(context, with.set());
  with.weights[7] = 0;
  auto weights = regression.zero();
  auto gradient = regression.zero();
  const double loss = regression.evaluate(with.weights, 1e-2, weights, gradient);
  EXPECT_NEAR(loss, std::log(3.0), 1e-6);
  Problem wrong = with;
  wrong.labels[7] = (wrong.labels[7] + 1) % 3;
  const SoftmaxRegression other(context, wrong.set());
  auto other_gradient = other.zero();
  other.evaluate(with.weights, 1e-2, weights, other_gradient);
  EXPECT_EQ(gradient, other_gradient);
}

TEST(SoftmaxRegression, TheHeadAppliesToFeaturesAsGiven) {
  const Problem problem = synthetic(60, 10, 3);
  const Context context;
  const SoftmaxRegression regression(context, problem.set());
  auto weights = regression.zero();
  regression.solve(problem.weights, 1e-3, {}, weights);
  const LinearHead head = regression.head(weights);
  std::vector<float> probabilities;
  for (std::size_t n = 0; n < problem.labels.size(); ++n) {
    std::vector<float> logits = head.bias;
    for (std::size_t k = 0; k < 3; ++k) {
      for (std::size_t d = 0; d < 10; ++d) logits[k] += head.weight[k * 10 + d] * problem.features[n * 10 + d];
    }
    softmax_in_place(logits);
    probabilities.insert(probabilities.end(), logits.begin(), logits.end());
  }
  const auto score = regression.score(problem.weights, weights);
  EXPECT_NEAR(log_loss({probabilities, problem.labels}), score.loss, 1e-5);
  EXPECT_NEAR(accuracy({probabilities, problem.labels}), score.accuracy, 1e-12);
}

TEST(SoftmaxRegression, ManyClassesAndAllZeroFeaturesAreFine) {
  Problem problem = synthetic(40, 6, 20);
  std::fill(problem.features.begin(), problem.features.end(), 0.0F);
  const Context context;
  const SoftmaxRegression regression(context, problem.set());
  auto weights = regression.zero();
  const LbfgsResult result = regression.solve(problem.weights, 1e-4, {}, weights);
  EXPECT_NEAR(result.value, std::log(20.0), 1e-6);
}

}  // namespace
}  // namespace fovea::training
