// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "graph/graph.h"

namespace fovea::graph {
namespace {

TEST(Shapes, ConvolutionCountsPaddingAndStride) {
  Graph graph;
  const ValueId x = graph.input("x", {2, 225, 224, 3});
  const ValueId w = graph.parameter("w", {8, 3, 3, 3});
  const ValueId y = graph.add(Conv2d{{3, 3, 2, {0, 0, 1, 1}}}, {x, w});
  ASSERT_TRUE(graph.status().ok()) << graph.status().error().message;
  EXPECT_EQ(graph.shape(y), Shape({2, 112, 112, 8}));
}

TEST(Shapes, TheFirstMistakeIsKeptAndNamed) {
  Graph graph;
  const ValueId x = graph.input("x", {2, 8, 8, 3});
  const ValueId w = graph.parameter("w", {8, 4, 3, 3});
  const ValueId y = graph.add(Conv2d{{3, 3}}, {x, w});
  graph.add(Activate{}, {y});
  graph.add(Add{}, {x, w});
  ASSERT_FALSE(graph.status().ok());
  EXPECT_EQ(graph.status().error().message, "Conv2d: got shapes (2x8x8x3, 8x4x3x3), expected w of shape 8x3x3x3");
}

TEST(Shapes, AnInputSmallerThanTheWindowIsRefused) {
  Graph graph;
  graph.add(Conv2d{{3, 3}}, {graph.input("x", {1, 2, 2, 3}), graph.parameter("w", {8, 3, 3, 3})});
  EXPECT_FALSE(graph.status().ok());
}

TEST(Shapes, ANameMayBeUsedOnce) {
  Graph graph;
  graph.input("x", {1});
  graph.parameter("x", {1});
  EXPECT_EQ(graph.status().error().message, "graph: 'x' is defined twice");
}

TEST(Flops, CountTwoPerMultiplyAdd) {
  Graph graph;
  const ValueId x = graph.input("x", {2, 4, 4, 8});
  graph.add(Conv2d{{1, 1}}, {x, graph.parameter("w", {16, 8, 1, 1})});
  graph.add(DepthwiseConv2d{{3, 3, 1, {1, 1, 1, 1}}}, {x, graph.parameter("d", {8, 1, 3, 3})});
  EXPECT_EQ(flops(graph, graph.nodes()[0]), 2.0 * 32 * 16 * 8);
  EXPECT_EQ(flops(graph, graph.nodes()[1]), 2.0 * 32 * 8 * 9);
}

}  // namespace
}  // namespace fovea::graph
