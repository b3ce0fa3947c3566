// SPDX-License-Identifier: Apache-2.0
//
// What nodes are appended; that their numbers are right is shown by tests/contract (finite differences) and tests/golden.
#include "graph/autodiff.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace fovea::graph {
namespace {

bool all(std::string_view) { return true; }

Graph two_layers() {
  Graph graph;
  ValueId x = graph.input("x", {2, 4});
  x = graph.add(Linear{}, {x, graph.parameter("w0", {3, 4}), graph.parameter("b0", {3})});
  x = graph.add(Linear{}, {x, graph.parameter("w1", {5, 3}), graph.parameter("b1", {5})});
  const auto loss = graph.add_all(SoftmaxCrossEntropy{}, {x, graph.input("targets", {2, 5}), graph.input("weights", {2})});
  graph.mark_output("loss", loss[0]);
  return graph;
}

TEST(Autodiff, AppendsOneGradientPerParameter) {
  const auto graph = differentiate(two_layers(), all);
  ASSERT_TRUE(graph.ok()) << graph.error().message;
  for (const char* name : {"w0", "b0", "w1", "b1"}) {
    const auto gradient = graph->output(gradient_name(name));
    ASSERT_TRUE(gradient.has_value()) << name;
    EXPECT_EQ(graph->shape(*gradient), graph->shape(*graph->find(name)));
  }
}

TEST(Autodiff, ComputesNothingForWhatDoesNotLearn) {
  const auto graph = differentiate(two_layers(), [](std::string_view name) { return name == "w1" || name == "b1"; });
  ASSERT_TRUE(graph.ok());
  EXPECT_EQ(to_text(*graph).find("LinearBackwardInput"), std::string::npos);
  EXPECT_FALSE(graph->output(gradient_name("w0")).has_value());
}

TEST(Autodiff, AValueReadTwiceGetsTheSum) {
  Graph graph;
  const ValueId x = graph.input("x", {2, 4});
  graph.mark_output("y", graph.add(Add{}, {graph.add(Activate{}, {x}), x}));
  const std::array<std::string, 1> inputs{"x"};
  const auto result = differentiate_from(graph, "y", "dy", all, inputs);
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(to_text(*result),
            "%1 2x4 = Activate[relu](x)\n"
            "%2 2x4 = Add(%1, x)\n"
            "%4 2x4 = ActivateBackward[relu](%1, dy)\n"
            "%5 2x4 = Add(dy, %4)\n"
            "output y = %2\n"
            "output grad/x = %5\n");
}

TEST(Autodiff, SaysWhatComesFirst) {
  Graph graph;
  const ValueId x = graph.input("x", {1, 2, 2, 3});
  const ValueId y = graph.add(Conv2d{}, {x, graph.parameter("w", {3, 3, 1, 1})});
  graph.mark_output("y", graph.add(BatchNorm{}, {y, graph.parameter("g", {3}), graph.parameter("b", {3}), graph.state("m", {3}),
                                                 graph.state("v", {3})}));
  const auto result = differentiate_from(graph, "y", "dy", all);
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().message, "autodiff: BatchNorm has no derivative: fold_batchnorm comes first");
}

TEST(Autodiff, NeedsALoss) { EXPECT_EQ(differentiate(Graph(), all).error().kind, Error::Kind::kUsage); }

}  // namespace
}  // namespace fovea::graph
