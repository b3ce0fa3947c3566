// Executors over memory that the host cannot reach: who copies what, and when.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

#include "core/device_failure.h"
#include "cuda_host/host_backend.h"
#include "graph/autodiff.h"
#include "runtime/executor.h"
#include "runtime/resident_parameters.h"

namespace fovea {
namespace {

using graph::ValueId;
using testing::ElementsAre;

std::unique_ptr<Executor> make(const graph::Graph& graph, const PlanOptions& options = {},
                               const test::HostBackendOptions& device = {}) {
  const auto backend = test::make_cuda_host_backend(device);
  auto plan = Plan::make({}, graph, *backend, options);
  EXPECT_TRUE(plan.ok()) << plan.error().message;
  return std::make_unique<Executor>(*plan);
}

/// y = x + (a + c), of which the bracket is constant where weights are.
graph::Graph sums() {
  graph::Graph graph;
  const Shape shape{1, 2};
  const ValueId constant = graph.add(graph::Add{}, {graph.parameter("a", shape), graph.parameter("c", shape)});
  graph.mark_output("y", graph.add(graph::Add{}, {graph.input("x", shape), constant}));
  return graph;
}

TEST(DeviceExecutor, InputsAreCopiedBeforeEveryRunAndConstantWeightsWhenPrepared) {
  const auto executor = make(sums(), {.constant_weights = true});
  std::array<float, 2> x{1, 2}, a{10, 20}, c{100, 200};
  executor->bind("x", x.data());
  executor->bind("a", a.data());
  executor->bind("c", c.data());
  executor->prepare_weights();
  executor->run();
  EXPECT_THAT(executor->output("y").floats(), ElementsAre(111.0F, 222.0F));
  x[0] = 2;
  a[0] = 0;
  executor->run();
  EXPECT_THAT(executor->output("y").floats(), ElementsAre(112.0F, 222.0F));
  executor->prepare_weights();
  executor->run();
  EXPECT_THAT(executor->output("y").floats(), ElementsAre(102.0F, 222.0F));
}

TEST(DeviceExecutor, RunsAreRecordedOnceAndReplayedWhateverIsBoundAnew) {
  const auto executor = make(sums());
  std::array<float, 2> x{1, 2}, other{5, 6}, a{10, 20}, c{100, 200};
  executor->bind("x", x.data());
  executor->bind("a", a.data());
  executor->bind("c", c.data());
  executor->run();
  EXPECT_FALSE(executor->recorded());
  executor->run();
  EXPECT_TRUE(executor->recorded()) << executor->why_not_recorded();
  executor->bind("x", other.data());
  executor->run();
  EXPECT_TRUE(executor->recorded());
  EXPECT_THAT(executor->output("y").floats(), ElementsAre(115.0F, 226.0F));
}

TEST(DeviceExecutor, AReplayHasItsOwnState) {
  graph::Graph graph;
  graph.mark_output("y", graph.add(graph::Dropout{0.5F, 1}, {graph.input("x", {1, 64})}));
  std::vector<float> x(64, 1);
  const auto of = [&](Executor& executor, std::uint32_t step) {
    executor.run({.seed = 9, .step = step});
    const auto floats = executor.output("y").floats();
    return std::vector<float>(floats.begin(), floats.end());
  };
  const auto executor = make(graph), fresh = make(graph);
  executor->bind("x", x.data());
  fresh->bind("x", x.data());
  std::vector<std::vector<float>> seen;
  for (const std::uint32_t step : {0U, 1U, 2U, 3U}) seen.push_back(of(*executor, step));
  EXPECT_TRUE(executor->recorded());
  EXPECT_NE(seen[2], seen[3]);
  EXPECT_EQ(of(*fresh, 3), seen[3]);  // without a recording
}

TEST(DeviceExecutor, TwinsShareWeightsAndNotInputs) {
  const auto backend = test::make_cuda_host_backend();
  const PlanOptions options{.constant_weights = true};
  Executor first(*Plan::make({}, sums(), *backend, options));
  std::array<float, 2> one{1, 2}, two{3, 4}, a{10, 20}, c{0, 0};
  first.bind("x", one.data());
  first.bind("a", a.data());
  first.bind("c", c.data());
  Executor second(*Plan::make({}, sums(), *backend, options), first);
  second.bind("x", two.data());
  first.prepare_weights();
  second.run();
  first.run();
  EXPECT_THAT(first.output("y").floats(), ElementsAre(11.0F, 22.0F));
  EXPECT_THAT(second.output("y").floats(), ElementsAre(13.0F, 24.0F));
}

/// A linear layer and its loss, differentiated.
graph::Graph trained() {
  graph::Graph graph;
  const ValueId x = graph.input("x", {1, 2});
  const ValueId logits = graph.add(graph::Linear{}, {x, graph.parameter("w", {2, 2}), graph.parameter("b", {2})});
  graph.mark_output(
      "loss", graph.add(graph::SoftmaxCrossEntropy{}, {logits, graph.input("targets", {1, 2}), graph.input("weights", {1})}));
  return *graph::differentiate(graph, [](std::string_view) { return true; });
}

struct Training {
  std::array<float, 2> pixels{1, 3}, targets{1, 0};
  std::array<float, 1> weights{1};
  void bind_to(Executor& executor) {
    executor.bind("x", pixels.data());
    executor.bind("targets", targets.data());
    executor.bind("weights", weights.data());
  }
};

const PlanOptions kGradients{.bound_outputs = {graph::gradient_name("w"), graph::gradient_name("b")}};

TEST(DeviceExecutor, GradientsComeBackToTheHost) {
  const auto executor = make(trained(), kGradients);
  ParameterSet parameters(executor->plan().graph());
  parameters.allocate_gradients();
  parameters.bind_to(*executor);
  Training training;
  training.bind_to(*executor);
  executor->run();
  EXPECT_THAT(parameters.gradient(*parameters.find("b")), ElementsAre(-0.5F, 0.5F));
  EXPECT_THAT(parameters.gradient(*parameters.find("w")), ElementsAre(-0.5F, -1.5F, 0.5F, 1.5F));
  // Parameters that the host has changed count in the next run.
  parameters.values(*parameters.find("b"))[0] = 100;
  executor->run();
  EXPECT_NEAR(parameters.gradient(*parameters.find("b"))[0], 0, 1e-6);
  EXPECT_NEAR(parameters.gradient(*parameters.find("b"))[1], 0, 1e-6);
}

TEST(DeviceExecutor, ResidentParametersStayWhereTheyAre) {
  const auto executor = make(trained(), kGradients);
  ParameterSet parameters(executor->plan().graph());
  ResidentParameters resident(executor->plan().memory(), parameters);
  resident.bind_to(*executor, parameters);
  Training training;
  training.bind_to(*executor);
  executor->run();
  std::vector<float> gradients(resident.parameter_floats());
  executor->plan().memory()->download(reinterpret_cast<const std::byte*>(resident.gradients()),
                                      std::as_writable_bytes(std::span(gradients)));
  EXPECT_EQ(gradients[parameters.find("b")->offset], -0.5F);
  // What the host changes counts when it is sent.
  parameters.values(*parameters.find("b"))[0] = 100;
  executor->run();
  EXPECT_GT(executor->output("loss").floats()[0], 0.5F);
  resident.upload(parameters);
  executor->run();
  EXPECT_NEAR(executor->output("loss").floats()[0], 0, 1e-6);
  parameters.values(*parameters.find("b"))[0] = 0;
  resident.download(parameters);
  EXPECT_EQ(parameters.values(*parameters.find("b"))[0], 100);
}

TEST(DeviceExecutor, TooLittleMemoryIsToldApart) {
  try {
    (void)make(sums(), {}, {.memory_bytes = 1});
    FAIL() << "one byte was enough";
  } catch (const DeviceFailure& failure) {
    EXPECT_TRUE(failure.out_of_memory());
    EXPECT_EQ(failure.error().kind, Error::Kind::kLimit);
  }
}

}  // namespace
}  // namespace fovea
