// SPDX-License-Identifier: Apache-2.0
#include "train/optimizer.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <ostream>

#include "core/rng.h"
#include "train/golden_file.h"

namespace fovea::training {
namespace {

constexpr float kUlp = std::numeric_limits<float>::epsilon();

struct Case {
  const char* name;
  OptimizerOptions options;
  double lr;
  double clip;
};

void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }

class OptimizerGolden : public testing::TestWithParam<Case> {};

TEST_P(OptimizerGolden, TwentyStepsAgreeWithPyTorch) {
  const test::Golden golden = test::read_golden("train/golden/optimizer.txt");
  const Case& test_case = GetParam();
  std::vector<float> parameters = test::to_floats(golden.at("start")[0]);
  const std::vector<float> gradients = test::to_floats(golden.at("gradients")[0]);
  const std::vector<double>& expected = golden.at(test_case.name)[0];
  const std::size_t size = parameters.size();
  Optimizer optimizer(test_case.options, {{0, size, true}}, size);
  const Context context;
  for (std::size_t step = 0; step * size < gradients.size(); ++step) {
    const auto gradient = std::span(gradients).subspan(step * size, size);
    const double norm = gradient_norm(context, gradient, optimizer.spans());
    optimizer.step(context, parameters, gradient, test_case.lr, clip_scale(norm, test_case.clip));
    for (std::size_t i = 0; i < size; ++i) {
      // About five roundings a step, each of at most half a unit of what is of the order of one.
      const double bound = 5 * kUlp * static_cast<double>(step + 1) * std::max(1.0, std::abs(expected[step * size + i]));
      EXPECT_NEAR(parameters[i], expected[step * size + i], bound) << "step " << step << " element " << i;
    }
  }
  EXPECT_EQ(optimizer.steps(), 20);
}

INSTANTIATE_TEST_SUITE_P(
    All, OptimizerGolden,
    testing::Values(Case{"adamw", {.weight_decay = 0.05}, 1e-2, 1.5},
                    Case{"sgd", {.kind = OptimizerOptions::Kind::kSgd, .weight_decay = 0.05}, 1e-1, 0},
                    Case{"nesterov", {.kind = OptimizerOptions::Kind::kSgd, .weight_decay = 0.05, .nesterov = true}, 1e-1, 0}),
    [](const auto& test) { return test.param.name; });

std::vector<float> random(std::size_t size, std::uint32_t purpose) {
  Rng rng(7, 0, 0, purpose);
  std::vector<float> values(size);
  for (float& value : values) value = rng.normal();
  return values;
}

TEST(Optimizer, TheSameBitsForAnyNumberOfThreads) {
  const std::size_t size = 100'003;
  const std::vector<float> gradients = random(size, 1);
  std::vector<std::vector<float>> results;
  std::vector<double> norms;
  for (const int threads : {1, 2, 3, 8}) {
    Context context;
    context.threads = threads;
    std::vector<float> parameters = random(size, 0);
    Optimizer optimizer({}, {{0, size, true}}, size);
    norms.push_back(gradient_norm(context, gradients, optimizer.spans()));
    for (int step = 0; step < 3; ++step) optimizer.step(context, parameters, gradients, 1e-3, clip_scale(norms.back(), 1));
    results.push_back(parameters);
  }
  for (std::size_t i = 1; i < results.size(); ++i) {
    EXPECT_EQ(norms[i], norms[0]);
    EXPECT_EQ(results[i], results[0]);
  }
}

TEST(Optimizer, LeavesWhatIsNotInASpanAndDoesNotDecayWhatShouldNot) {
  const std::vector<float> gradients(3, 0.0F);
  std::vector<float> parameters(3, 1.0F);
  Optimizer optimizer({.weight_decay = 0.5}, {{0, 1, true}, {1, 1, false}}, 3);
  optimizer.step({}, parameters, gradients, 0.1);
  EXPECT_FLOAT_EQ(parameters[0], 0.95F);
  EXPECT_EQ(parameters[1], 1.0F);
  EXPECT_EQ(parameters[2], 1.0F);
}

TEST(TrainableSpans, DecayMatricesOnly) {
  graph::Graph graph;
  graph.parameter("conv.weight", {4, 3, 3, 3});
  graph.parameter("bn.weight", {4});
  graph.parameter("frozen.weight", {4, 4});
  graph.state("bn.running_mean", {4});
  const ParameterSet parameters(graph);
  const auto spans = trainable_spans(parameters, [](std::string_view name) { return name != "frozen.weight"; });
  ASSERT_EQ(spans.size(), 2U);
  EXPECT_TRUE(spans[0].decay);
  EXPECT_EQ(spans[0].size, 108U);
  EXPECT_FALSE(spans[1].decay);
  EXPECT_EQ(spans[1].offset, parameters.find("bn.weight")->offset);
}

TEST(WeightAverage, BeginsFastAndEndsAtItsDecay) {
  std::vector<float> average{0.0F};
  const std::vector<float> value{1.0F};
  update_average({}, 0.99, 0, value, average);
  EXPECT_FLOAT_EQ(average[0], 0.9F);  // 1 - 1/10
  average[0] = 0;
  update_average({}, 0.99, 100'000, value, average);
  EXPECT_FLOAT_EQ(average[0], 0.01F);
}

TEST(ClipScale, ZeroMeansNoLimit) {
  EXPECT_EQ(clip_scale(10, 0), 1);
  EXPECT_EQ(clip_scale(0.5, 1), 1);
  EXPECT_NEAR(clip_scale(10, 1), 0.1, 1e-6);
}

}  // namespace
}  // namespace fovea::training
