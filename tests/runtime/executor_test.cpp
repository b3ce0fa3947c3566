// SPDX-License-Identifier: Apache-2.0
#include "runtime/executor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <vector>

#include "backend/registry.h"
#include "core/rng.h"
#include "graph/autodiff.h"
#include "runtime/parameters.h"

namespace fovea {
namespace {

using graph::ValueId;

Executor make(const graph::Graph& graph, const PlanOptions& options = {}, std::string_view device = "reference") {
  auto backend = make_backend(device);
  auto plan = Plan::make({}, graph, **backend, options);
  EXPECT_TRUE(plan.ok()) << plan.error().message;
  return Executor(*plan);
}

/// y = relu(x w' + b), four times over: a chain whose memory can be shared.
graph::Graph chain() {
  graph::Graph graph;
  ValueId x = graph.input("x", {1, 16});
  const ValueId w = graph.parameter("w", {16, 16});
  const ValueId b = graph.parameter("b", {16});
  for (int i = 0; i < 4; ++i) x = graph.add(graph::Activate{graph::Activation::kRelu}, {graph.add(graph::Linear{}, {x, w, b})});
  graph.mark_output("y", x);
  return graph;
}

TEST(Executor, RunsAChainInTheMemoryOfTwo) {
  Executor executor = make(chain());
  std::size_t scratch = 0;
  for (const Plan::PlannedNode& node : executor.plan().nodes())
    scratch = std::max(scratch, align_up(node.kernel->scratch_bytes()));
  EXPECT_LE(executor.plan().arena_bytes(), 2 * align_up(16 * sizeof(float)) + scratch);
  std::vector<float> x(16, 1);
  std::vector<float> w(16 * 16, 0);
  std::vector<float> b(16, 0.5F);
  for (std::size_t i = 0; i < 16; ++i) w[i * 17] = 2;
  executor.bind("x", x.data());
  executor.bind("w", w.data());
  executor.bind("b", b.data());
  executor.run();
  for (const float value : executor.output("y").floats()) EXPECT_EQ(value, 16 + 0.5F * 15);
}

TEST(Executor, ConstantsAreComputedOnce) {
  graph::Graph graph;
  const ValueId x = graph.input("x", {1, 1, 1, 2});
  const ValueId vectors[] = {graph.parameter("g", {2}), graph.parameter("b", {2}), graph.state("m", {2}), graph.state("v", {2})};
  const auto folded = graph.add_all(graph::FoldBatchNorm{0},
                                    {graph.parameter("w", {2, 2, 1, 1}), vectors[0], vectors[1], vectors[2], vectors[3]});
  graph.mark_output("y", graph.add(graph::Conv2d{}, {x, folded[0], folded[1]}));

  Executor executor = make(graph, {.constant_weights = true});
  ParameterSet parameters(graph);
  parameters.bind_to(executor);
  std::ranges::copy(std::array{1.0F, 0.0F, 0.0F, 1.0F}, parameters.values(*parameters.find("w")).begin());
  std::ranges::fill(parameters.values(*parameters.find("g")), 3.0F);
  std::ranges::fill(parameters.values(*parameters.find("v")), 1.0F);
  std::array<float, 2> pixels{1, 2};
  executor.bind("x", pixels.data());
  executor.prepare_weights();
  executor.run();
  EXPECT_EQ(executor.output("y").f32()[1], 6);
  // Only prepare_weights looks at the parameters again.
  std::ranges::fill(parameters.values(*parameters.find("g")), 5.0F);
  executor.run();
  EXPECT_EQ(executor.output("y").f32()[1], 6);
  executor.prepare_weights();
  executor.run();
  EXPECT_EQ(executor.output("y").f32()[1], 10);
}

/// Two convolutions with a normalisation folded into each.
graph::Graph folded_convolutions(std::int64_t channels) {
  graph::Graph graph;
  ValueId x = graph.input("x", {1, 3, 3, channels});
  for (const std::string name : {"first", "second"}) {
    const Shape vector{channels};
    const auto folded = graph.add_all(
        graph::FoldBatchNorm{0.001F},
        {graph.parameter(name + ".w", {channels, channels, 1, 1}), graph.parameter(name + ".gamma", vector),
         graph.parameter(name + ".beta", vector), graph.state(name + ".mean", vector), graph.state(name + ".var", vector)});
    x = graph.add(graph::Conv2d{}, {x, folded[0], folded[1]});
  }
  graph.mark_output("y", x);
  return graph;
}

TEST(Executor, ConstantsThatAreOnlyPackedShareTheArena) {
  constexpr std::int64_t kChannels = 24;
  const graph::Graph graph = folded_convolutions(kChannels);
  ParameterSet parameters(graph);
  Rng rng(1, 0, 0);
  for (float& value : parameters.all()) value = rng.uniform(0.5F, 1.0F);
  std::vector<float> pixels(9 * kChannels);
  for (float& value : pixels) value = rng.uniform(-1.0F, 1.0F);

  Executor executor = make(graph, {.constant_weights = true}, "cpu");
  std::size_t packed = 0;
  for (const Plan::PlannedNode& node : executor.plan().nodes()) packed += align_up(node.kernel->packed_bytes());
  EXPECT_EQ(executor.plan().persistent_bytes(), packed);
  EXPECT_LT(executor.plan().arena_bytes(), 2 * sizeof(float) * kChannels * kChannels + 4 * sizeof(float) * 9 * kChannels);

  Executor plain = make(graph);
  for (Executor* each : {&executor, &plain}) {
    parameters.bind_to(*each);
    each->bind("x", pixels.data());
    each->prepare_weights();
    for (int run = 0; run < 3; ++run) each->run();
  }
  const auto expected = plain.output("y").floats();
  const auto got = executor.output("y").floats();
  for (std::size_t i = 0; i < got.size(); ++i) EXPECT_NEAR(got[i], expected[i], 1e-3) << i;
}

TEST(Executor, TwoOfOneGraphShareWhatWasPrepared) {
  graph::Graph graph;
  const ValueId x = graph.input("x", {1, 2});
  graph.mark_output(
      "y", graph.add(graph::Add{}, {x, graph.add(graph::Add{}, {graph.parameter("a", {1, 2}), graph.parameter("c", {1, 2})})}));
  Executor first = make(graph, {.constant_weights = true});
  std::array<float, 2> a{1, 2}, c{10, 20}, one{100, 200}, other{0, 0};
  first.bind("a", a.data());
  first.bind("c", c.data());
  first.bind("x", one.data());
  auto backend = make_backend("reference");
  Executor second(*Plan::make({}, graph, **backend, {.constant_weights = true}), first);
  second.bind("x", other.data());
  first.prepare_weights();
  second.run();
  first.run();
  EXPECT_THAT(first.output("y").floats(), testing::ElementsAre(111.0F, 222.0F));
  EXPECT_THAT(second.output("y").floats(), testing::ElementsAre(11.0F, 22.0F));
}

TEST(Executor, GradientsLandInTheFlatBuffer) {
  graph::Graph graph;
  const ValueId x = graph.input("x", {1, 2});
  const ValueId logits = graph.add(graph::Linear{}, {x, graph.parameter("w", {2, 2}), graph.parameter("b", {2})});
  graph.mark_output(
      "loss", graph.add(graph::SoftmaxCrossEntropy{}, {logits, graph.input("targets", {1, 2}), graph.input("weights", {1})}));
  auto trained = graph::differentiate(graph, [](std::string_view) { return true; });
  ASSERT_TRUE(trained.ok());

  Executor executor = make(*trained, {.bound_outputs = {graph::gradient_name("w"), graph::gradient_name("b")}});
  ParameterSet parameters(*trained);
  parameters.allocate_gradients();
  parameters.bind_to(executor);
  std::array<float, 2> pixels{1, 3};
  std::array<float, 2> targets{1, 0};
  std::array<float, 1> weights{1};
  executor.bind("x", pixels.data());
  executor.bind("targets", targets.data());
  executor.bind("weights", weights.data());
  executor.run();
  // Zero weights: p = 1/2 each, so dlogits = (-1/2, 1/2).
  EXPECT_THAT(parameters.gradient(*parameters.find("b")), testing::ElementsAre(-0.5F, 0.5F));
  EXPECT_THAT(parameters.gradient(*parameters.find("w")), testing::ElementsAre(-0.5F, -1.5F, 0.5F, 1.5F));
}

TEST(Plan, NamesAnUnknownBoundOutput) {
  auto backend = make_backend("reference");
  const auto plan = Plan::make({}, chain(), **backend, {.bound_outputs = {"z"}});
  ASSERT_FALSE(plan.ok());
  EXPECT_EQ(plan.error().message, "plan: no output 'z' to bind");
}

TEST(ParameterSet, ParametersComeFirstAndEveryTensorIsAligned) {
  graph::Graph graph;
  graph.state("s", {3});
  graph.parameter("a", {5});
  graph.parameter("b", {1, 1, 1, 7});
  ParameterSet parameters(graph);
  EXPECT_EQ(parameters.find("a")->offset, 0U);
  EXPECT_EQ(parameters.find("b")->offset, 16U);
  EXPECT_EQ(parameters.find("s")->offset, 32U);
  EXPECT_EQ(parameters.parameters().size(), 32U);
  EXPECT_EQ(parameters.find("absent"), nullptr);
}

}  // namespace
}  // namespace fovea
