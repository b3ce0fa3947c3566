// SPDX-License-Identifier: Apache-2.0
#include "graph/passes.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "graph/autodiff.h"

namespace fovea::graph {
namespace {

constexpr Window kSame3x3{3, 3, 1, {1, 1, 1, 1}};

/// x -> expand 1x1 -> BatchNorm -> relu6 -> depthwise -> BatchNorm -> relu6: the shape of every MobileNet block.
Graph block(Activation activation = Activation::kRelu6) {
  Graph graph;
  const auto norm = [&](ValueId x, const std::string& name) {
    const std::int64_t channels = graph.shape(x).back();
    return graph.add(BatchNorm{1e-3F},
                     {x, graph.parameter(name + ".weight", {channels}), graph.parameter(name + ".bias", {channels}),
                      graph.state(name + ".running_mean", {channels}), graph.state(name + ".running_var", {channels})});
  };
  const ValueId x = graph.input("x", {1, 4, 4, 8});
  ValueId y = norm(graph.add(Conv2d{}, {x, graph.parameter("expand", {16, 8, 1, 1})}), "bn0");
  y = graph.add(Activate{activation}, {y});
  y = norm(graph.add(DepthwiseConv2d{kSame3x3}, {y, graph.parameter("depthwise", {16, 1, 3, 3})}), "bn1");
  graph.mark_output("y", graph.add(Activate{activation}, {y}));
  return graph;
}

TEST(Passes, FoldedAndFusedBlockIsTwoConvolutions) {
  const Graph graph = fuse_activations(fold_batchnorm(block()), true);
  EXPECT_EQ(
      to_text(graph),
      "%5 16x8x1x1, %6 16 = FoldBatchNorm[eps 0.001](expand, bn0.weight, bn0.bias, bn0.running_mean, bn0.running_var)\n"
      "%8 1x4x4x16 = Conv2d[1x1 relu6](x, %5, %6)\n"
      "%14 16x1x3x3, %15 16 = FoldBatchNorm[eps 0.001](depthwise, bn1.weight, bn1.bias, bn1.running_mean, bn1.running_var)\n"
      "%16 1x4x4x16 = DepthwiseConv2d[3x3 pad 1,1,1,1 relu6](%8, %14, %15)\n"
      "output y = %16\n");
}

TEST(Passes, SiluStaysApartForTraining) {
  const std::string training = to_text(fuse_activations(fold_batchnorm(block(Activation::kSilu)), true));
  const std::string use = to_text(fuse_activations(fold_batchnorm(block(Activation::kSilu)), false));
  EXPECT_NE(training.find("Activate[silu]"), std::string::npos);
  EXPECT_EQ(use.find("Activate[silu]"), std::string::npos);
}

TEST(Passes, AValueThatOthersReadIsNotFused) {
  Graph graph;
  const ValueId x = graph.input("x", {1, 4, 4, 8});
  const ValueId y = graph.add(Conv2d{}, {x, graph.parameter("w", {8, 8, 1, 1})});
  graph.mark_output("z", graph.add(Add{}, {graph.add(Activate{Activation::kRelu}, {y}), y}));
  EXPECT_NE(to_text(fuse_activations(graph, true)).find("Activate[relu]"), std::string::npos);
}

TEST(Passes, BackwardOfTheExpansionsActivationMovesIntoTheDepthwiseNode) {
  const auto all = [](std::string_view) { return true; };
  auto graph = differentiate_from(fuse_activations(fold_batchnorm(block()), true), "y", "dy", all);
  ASSERT_TRUE(graph.ok()) << graph.error().message;
  EXPECT_NE(to_text(*graph).find("ActivateBackward"), std::string::npos);
  const std::string text = to_text(fuse_backward(*graph));
  EXPECT_EQ(text.find("ActivateBackward"), std::string::npos) << text;
  EXPECT_NE(text.find("DepthwiseConv2dBackward[3x3 pad 1,1,1,1 relu6 input relu6]"), std::string::npos) << text;
}

TEST(Passes, DeadNodesAndLeavesGo) {
  Graph graph;
  const ValueId x = graph.input("x", {1, 4});
  graph.add(Linear{}, {x, graph.parameter("w", {2, 4}), graph.parameter("b", {2})});
  graph.mark_output("y", graph.add(Activate{}, {x}));
  const Graph alive = eliminate_dead(graph);
  EXPECT_EQ(alive.nodes().size(), 1U);
  EXPECT_FALSE(alive.find("w").has_value());
}

TEST(Passes, KeepOutputsDropsTheRest) {
  Graph graph;
  const ValueId x = graph.input("x", {1, 4});
  const ValueId y = graph.add(Activate{}, {x});
  graph.mark_output("y", y);
  graph.mark_output("z", graph.add(Softmax{}, {y}));
  const std::array<std::string_view, 2> names{"y", "absent"};
  EXPECT_EQ(to_text(keep_outputs(graph, names)), "%1 1x4 = Activate[relu](x)\noutput y = %1\n");
}

TEST(Passes, CutGivesTheRestOfTheNetwork) {
  Graph graph;
  const ValueId x = graph.input("x", {1, 4});
  const ValueId y = graph.add(Linear{}, {x, graph.parameter("w", {2, 4}), graph.parameter("b", {2})});
  graph.mark_output("early", y);
  graph.mark_output("late", graph.add(Activate{}, {y}));
  const std::array cuts{Cut{"cached", y}};
  EXPECT_EQ(to_text(cut_inputs(graph, cuts)), "%1 1x2 = Activate[relu](cached)\noutput early = cached\noutput late = %1\n");
}

/// An inverted residual block after folding and fusing: pointwise, depthwise, pointwise, sum.
Graph residual_block(bool read_inside) {
  Graph graph;
  const auto p = [&](const char* name, const Shape& shape) { return graph.parameter(name, shape); };
  const ValueId x = graph.input("x", {1, 4, 4, 8});
  const ValueId e = graph.add(Conv2d{{}, Activation::kRelu6}, {x, p("we", {16, 8, 1, 1}), p("be", {16})});
  const ValueId d = graph.add(DepthwiseConv2d{kSame3x3, Activation::kRelu6}, {e, p("wd", {16, 1, 3, 3}), p("bd", {16})});
  const ValueId y = graph.add(Conv2d{}, {d, p("wp", {8, 16, 1, 1}), p("bp", {8})});
  graph.mark_output("y", graph.add(Add{}, {x, y}));
  if (read_inside) graph.mark_output("inside", d);
  return graph;
}

TEST(Passes, AnInvertedResidualBlockBecomesOneNode) {
  EXPECT_EQ(to_text(fuse_inverted_residuals(residual_block(false), Precision::kBF16)),
            "%7 1x4x4x8 = InvertedResidual[3x3 pad 1,1,1,1 relu6 expands residual bf16](x, we, be, wd, bd, wp, bp)\n"
            "output y = %7\n");
}

TEST(Passes, ABlockWhoseInsideIsReadStaysApart) {
  const Graph graph = residual_block(true);
  EXPECT_EQ(to_text(fuse_inverted_residuals(graph, Precision::kF32)), to_text(graph));
}

/// An inverted residual block with the batch's own statistics, which are kept; the last one's, too.
Graph live_block(float first_eps, bool read_inside) {
  Graph graph;
  const auto p = [&](const std::string& name, const Shape& shape) { return graph.parameter(name, shape); };
  const auto norm = [&](ValueId x, const std::string& name, float eps, Activation activation) {
    const Shape c{graph.shape(x).back()};
    const auto made = graph.add_all(BatchNormTrain{eps}, {x, p("g" + name, c), p("b" + name, c)});
    graph.add_update({0.1F, 16}, {made[1], made[2]}, {graph.state("m" + name, c), graph.state("v" + name, c)});
    return activation == Activation::kNone ? made[0] : graph.add(Activate{activation}, {made[0]});
  };
  const ValueId x = graph.input("x", {1, 4, 4, 8});
  ValueId y = norm(graph.add(Conv2d{}, {x, p("we", {16, 8, 1, 1})}), "1", first_eps, Activation::kRelu6);
  y = norm(graph.add(DepthwiseConv2d{kSame3x3}, {y, p("wd", {16, 1, 3, 3})}), "2", 1e-3F, Activation::kRelu6);
  if (read_inside) graph.mark_output("inside", y);
  y = norm(graph.add(Conv2d{}, {y, p("wp", {8, 16, 1, 1})}), "3", 1e-3F, Activation::kNone);
  graph.mark_output("y", graph.add(Add{}, {x, y}));
  return fuse_activations(graph, true);
}

TEST(Passes, ALiveBlockBecomesOneNodeAndItsStatisticsAreStillKept) {
  EXPECT_EQ(to_text(fuse_live_inverted_residuals(live_block(1e-3F, false), Precision::kF32)),
            "%8 1x4x4x8, %9 1x4x4x16, %10 16, %11 16, %12 16, %13 16 = InvertedResidualTrain[3x3 pad 1,1,1,1 relu6 expands eps "
            "0.001](x, we, g1, b1, wd, g2, b2, wp)\n"
            "m1 16, v1 16 = UpdateRunningStatistics[momentum 0.1 count 16](%10, %11)\n"
            "m2 16, v2 16 = UpdateRunningStatistics[momentum 0.1 count 16](%12, %13)\n"
            "%20 1x4x4x8, %21 8, %22 8 = BatchNormTrain[eps 0.001](%8, g3, b3)\n"
            "m3 8, v3 8 = UpdateRunningStatistics[momentum 0.1 count 16](%21, %22)\n"
            "%25 1x4x4x8 = Add(x, %20)\n"
            "output y = %25\n");
}

TEST(Passes, ALiveBlockWithAnotherFirstEpsBeginsWithItsDepthwiseConvolution) {
  const std::string text = to_text(fuse_live_inverted_residuals(live_block(1e-5F, false), Precision::kF32));
  EXPECT_NE(text.find("BatchNormTrain[eps 1e-05 relu6]"), std::string::npos) << text;
  EXPECT_NE(text.find("InvertedResidualTrain[3x3 pad 1,1,1,1 relu6 eps 0.001]"), std::string::npos) << text;
}

TEST(Passes, ALiveBlockWhoseInsideIsReadStaysApart) {
  const Graph graph = live_block(1e-3F, true);
  EXPECT_EQ(to_text(fuse_live_inverted_residuals(graph, Precision::kF32)), to_text(graph));
}

/// A block that is one node, of so many channels.
Graph rounded_block(std::int64_t channels, Precision precision) {
  Graph graph;
  const ValueId y = graph.add(InvertedResidual{.window = kSame3x3, .precision = precision},
                              {graph.input("x", {1, 4, 4, channels}), graph.parameter("we", {96, channels, 1, 1}),
                               graph.parameter("be", {96}), graph.parameter("wd", {96, 1, 3, 3}), graph.parameter("bd", {96}),
                               graph.parameter("wp", {16, 96, 1, 1}), graph.parameter("bp", {16})});
  graph.mark_output("y", y);
  return graph;
}

TEST(Passes, ARoundedBlockOfManyChannelsKeepsItsExpandedActivationsRounded) {
  const Graph graph = keep_expanded(rounded_block(kLeastChannelsKept, Precision::kBF16));
  ASSERT_EQ(graph.nodes().size(), 1U);
  const Node& node = graph.nodes().front();
  ASSERT_EQ(node.outputs.size(), 2U);
  EXPECT_EQ(always_kept_rounded(node), node.outputs[1]);
  EXPECT_EQ(graph.shape(node.outputs[1]), (Shape{1, 4, 4, 96}));
  EXPECT_EQ(graph.dtype(node.outputs[1]), DType::kBF16);
}

TEST(Passes, OtherBlocksKeepNothing) {
  for (const Graph& graph : {keep_expanded(rounded_block(kLeastChannelsKept - 1, Precision::kBF16)),
                             keep_expanded(rounded_block(kLeastChannelsKept, Precision::kF32))}) {
    EXPECT_EQ(graph.nodes().front().outputs.size(), 1U);
    EXPECT_EQ(always_kept_rounded(graph.nodes().front()), kNoValue);
  }
}

TEST(Passes, TheBackwardPassOfABlockReadsWhatItKept) {
  Graph graph = keep_expanded(rounded_block(kLeastChannelsKept, Precision::kBF16));
  const ValueId y = graph.nodes().front().outputs[0], v = graph.nodes().front().outputs[1];
  const ValueId pooled = graph.add(GlobalAveragePool{}, {y}), targets = graph.input("targets", {1, 16});
  graph.mark_output("loss", graph.add_all(SoftmaxCrossEntropy{}, {pooled, targets, graph.input("weights", {1})})[0]);
  const auto both = differentiate(graph, [](std::string_view) { return true; });
  ASSERT_TRUE(both.ok()) << both.error().message;
  std::size_t seen = 0;
  for (const Node& node : both->nodes()) {
    if (!std::holds_alternative<InvertedResidualBackward>(node.op)) continue;
    ++seen;
    EXPECT_EQ(always_kept_rounded(node), v);
    EXPECT_EQ(node.outputs.size(), 7U);
  }
  EXPECT_EQ(seen, 1U);
}

TEST(Passes, ABlockWithoutExpansionTakesTheSlopeOfItsInput) {
  Graph graph;
  const auto p = [&](const char* name, const Shape& shape) { return graph.parameter(name, shape); };
  const ValueId x = graph.input("x", {1, 4, 4, 8});
  const ValueId stem = graph.add(Conv2d{kSame3x3, Activation::kRelu6}, {x, p("ws", {8, 8, 3, 3}), p("bs", {8})});
  const ValueId d = graph.add(DepthwiseConv2d{kSame3x3, Activation::kRelu6}, {stem, p("wd", {8, 1, 3, 3}), p("bd", {8})});
  graph.mark_output("y", graph.add(Conv2d{}, {d, p("wp", {4, 8, 1, 1}), p("bp", {4})}));
  graph = fuse_inverted_residuals(graph, Precision::kF32);
  const auto made = differentiate_from(graph, "y", "dy", [](std::string_view) { return true; });
  ASSERT_TRUE(made.ok()) << made.error().message;
  const std::string text = to_text(fuse_backward(*made));
  EXPECT_NE(text.find("InvertedResidualBackward[3x3 pad 1,1,1,1 relu6 input relu6]"), std::string::npos) << text;
  EXPECT_EQ(text.find("ActivateBackward"), std::string::npos) << text;
}

TEST(Passes, ConvolutionsAreRoundedInBothDirectionsUnlessBatchStatisticsFollow) {
  Graph graph;
  const auto p = [&](const char* name, const Shape& shape) { return graph.parameter(name, shape); };
  const ValueId x = graph.input("x", {1, 4, 4, 8});
  const ValueId y = graph.add(Conv2d{kSame3x3}, {x, p("w", {8, 8, 3, 3}), p("b", {8})});
  graph.mark_output("y", graph.add(Conv2d{}, {y, p("live", {4, 8, 1, 1})}));
  const Graph rounded = round_convolutions(graph, Precision::kBF16, Precision::kF32);
  const auto made = differentiate_from(rounded, "y", "dy", [](std::string_view) { return true; });
  ASSERT_TRUE(made.ok()) << made.error().message;
  const std::string text = to_text(*made);
  for (const char* line : {"Conv2d[3x3 pad 1,1,1,1 bf16](x, w, b)", "= Conv2d[1x1](", "Conv2dBackwardInput[1x1](dy, live)",
                           "Conv2dBackwardWeight[3x3 pad 1,1,1,1 bias bf16](x, "}) {
    EXPECT_NE(text.find(line), std::string::npos) << line << "\n" << text;
  }
}

/// x -> conv -> silu -> conv -> y, and its backward nodes.
Graph rounded_chain(Precision precision) {
  Graph graph;
  const auto p = [&](const char* name, const Shape& shape) { return graph.parameter(name, shape); };
  const ValueId x = graph.input("x", {1, 4, 4, 8});
  const ValueId z = graph.add(Conv2d{kSame3x3}, {x, p("w", {8, 8, 3, 3}), p("b", {8})});
  const ValueId a = graph.add(Activate{Activation::kSilu}, {z});
  graph.mark_output("y", graph.add(Conv2d{}, {a, p("v", {4, 8, 1, 1}), p("c", {4})}));
  return *differentiate_from(round_convolutions(graph, precision, Precision::kF32), "y", "dy",
                             [](std::string_view) { return true; });
}

TEST(Passes, WhatLiesBetweenRoundedConvolutionsIsKeptRounded) {
  const Graph kept = keep_rounded(rounded_chain(Precision::kBF16));
  EXPECT_EQ(to_text(kept),
            "%3 1x4x4x8 bf16 = Conv2d[3x3 pad 1,1,1,1 bf16](x, w, b)\n"
            "%4 1x4x4x8 bf16 = Activate[silu](%3)\n"
            "%7 1x4x4x4 = Conv2d[1x1 bf16](%4, v, c)\n"
            "%9 4x8x1x1, %10 4 = Conv2dBackwardWeight[1x1 bias bf16](%4, dy)\n"
            "%11 1x4x4x8 bf16 = Conv2dBackwardInput[1x1 bf16](dy, v)\n"
            "%12 1x4x4x8 bf16 = ActivateBackward[silu](%3, %11)\n"
            "%13 8x8x3x3, %14 8 = Conv2dBackwardWeight[3x3 pad 1,1,1,1 bias bf16](x, %12)\n"
            "output y = %7\noutput grad/w = %13\noutput grad/b = %14\noutput grad/v = %9\noutput grad/c = %10\n");
  EXPECT_EQ(to_text(eliminate_dead(kept)).find("%3 1x4x4x8 ="), std::string::npos) << "a rewrite forgets how a value is kept";
}

TEST(Passes, ASiluWhoseSlopeIsAskedForKeepsIt) {
  EXPECT_EQ(to_text(keep_rounded(keep_slopes(rounded_chain(Precision::kBF16), Slopes::kSilus))),
            "%3 1x4x4x8 bf16 = Conv2d[3x3 pad 1,1,1,1 bf16](x, w, b)\n"
            "%4 1x4x4x8 bf16, %5 1x4x4x8 bf16 = Activate[silu keeps slope](%3)\n"
            "%8 1x4x4x4 = Conv2d[1x1 bf16](%4, v, c)\n"
            "%10 4x8x1x1, %11 4 = Conv2dBackwardWeight[1x1 bias bf16](%4, dy)\n"
            "%12 1x4x4x8 bf16 = Conv2dBackwardInput[1x1 bf16](dy, v)\n"
            "%13 1x4x4x8 bf16 = ActivateBackward[silu by slope](%5, %12)\n"
            "%14 8x8x3x3, %15 8 = Conv2dBackwardWeight[3x3 pad 1,1,1,1 bias bf16](x, %13)\n"
            "output y = %8\noutput grad/w = %14\noutput grad/b = %15\noutput grad/v = %10\noutput grad/c = %11\n");
}

TEST(Passes, ARoundedConvolutionTakesInTheSiluAndKeepsItsSlope) {
  EXPECT_EQ(to_text(keep_rounded(keep_slopes(rounded_chain(Precision::kBF16), Slopes::kConvolutions))),
            "%3 1x4x4x8 bf16, %4 1x4x4x8 bf16 = Conv2d[3x3 pad 1,1,1,1 silu keeps slope bf16](x, w, b)\n"
            "%7 1x4x4x4 = Conv2d[1x1 bf16](%3, v, c)\n"
            "%9 4x8x1x1, %10 4 = Conv2dBackwardWeight[1x1 bias bf16](%3, dy)\n"
            "%11 1x4x4x8 bf16 = Conv2dBackwardInput[1x1 bf16](dy, v)\n"
            "%12 1x4x4x8 bf16 = ActivateBackward[silu by slope](%4, %11)\n"
            "%13 8x8x3x3, %14 8 = Conv2dBackwardWeight[3x3 pad 1,1,1,1 bias bf16](x, %12)\n"
            "output y = %7\noutput grad/w = %13\noutput grad/b = %14\noutput grad/v = %9\noutput grad/c = %10\n");
}

TEST(Passes, AGradientByXTakesInTheSlope) {
  const std::string text = to_text(
      keep_rounded(fuse_gradients(keep_slopes(rounded_chain(Precision::kBF16), Slopes::kConvolutions), Slopes::kConvolutions)));
  EXPECT_NE(text.find("%11 1x4x4x8 bf16 = Conv2dBackwardInput[1x1 by slope bf16](dy, v, %4)\n"
                      "%12 8x8x3x3, %13 8 = Conv2dBackwardWeight[3x3 pad 1,1,1,1 bias bf16](x, %11)\n"),
            std::string::npos)
      << text;
}

/// x -> silu -> a -> conv u -> y; y + a -> z: what reaches a by two ways. With `wider`, a is read by a second convolution too.
Graph branched(Precision precision, bool wider) {
  Graph graph;
  const ValueId x = graph.input("x", {1, 4, 4, 8});
  const ValueId a = graph.add(Activate{Activation::kSilu}, {x});
  const auto convolve = [&](const char* w) {
    return graph.add(Conv2d{.window = {}, .precision = precision}, {a, graph.parameter(w, {8, 8, 1, 1})});
  };
  ValueId sum = graph.add(Add{}, {convolve("u"), a});
  if (wider) sum = graph.add(Add{}, {sum, convolve("v")});
  graph.mark_output("z", sum);
  const std::string inputs[] = {"x"};
  return std::move(differentiate_from(
                       graph, "z", "dz", [](std::string_view) { return true; }, inputs))
      .value();
}
std::string fused(const Graph& graph, Slopes by = Slopes::kConvolutions) {
  return to_text(fuse_gradients(keep_slopes(graph, by), by));
}

TEST(Passes, AGradientByXTakesInWhatReachesXByAnotherWay) {
  const std::string text = fused(branched(Precision::kBF16, false));
  EXPECT_NE(text.find("= Conv2dBackwardInput[1x1 adds by slope bf16](dz, u, dz, "), std::string::npos) << text;
  EXPECT_EQ(text.find("ActivateBackward"), std::string::npos) << text;
}

TEST(Passes, OfGradientsThatAreAddedOneTakesInTheOther) {
  const std::string text = fused(branched(Precision::kBF16, true));
  EXPECT_NE(text.find("%12 1x4x4x8 = Conv2dBackwardInput[1x1 adds bf16](dz, v, dz)\n"), std::string::npos) << text;
  EXPECT_NE(text.find("= Conv2dBackwardInput[1x1 adds by slope bf16](dz, u, %12, "), std::string::npos) << text;
}

TEST(Passes, GradientsOfFloatsOrForOthersToReadStayApart) {
  const Graph floats = branched(Precision::kF32, false);
  EXPECT_EQ(fused(floats), to_text(keep_slopes(floats, Slopes::kConvolutions)));
  EXPECT_EQ(fused(branched(Precision::kBF16, false), Slopes::kSilus),
            to_text(keep_slopes(branched(Precision::kBF16, false), Slopes::kSilus)));
  Graph read = keep_slopes(branched(Precision::kBF16, false), Slopes::kConvolutions);
  const auto gradient =
      std::ranges::find_if(read.nodes(), [](const Node& node) { return std::holds_alternative<Conv2dBackwardInput>(node.op); });
  ASSERT_NE(gradient, read.nodes().end());
  read.mark_output("seen", gradient->outputs[0]);
  EXPECT_EQ(to_text(fuse_gradients(read, Slopes::kConvolutions)), to_text(read));
}

/// Slices of x (8 channels) that begin and count so, joined with y behind them.
std::string sliced(std::initializer_list<SliceChannels> slices) {
  Graph graph;
  const ValueId x = graph.input("x", {1, 2, 2, 8}), y = graph.input("y", {1, 2, 2, 4});
  std::vector<ValueId> parts;
  for (const SliceChannels& slice : slices) parts.push_back(graph.add(slice, {x}));
  parts.push_back(y);
  graph.mark_output("z", graph.add(Concat{}, std::move(parts)));
  return to_text(eliminate_dead(join_slices(graph)));
}

TEST(Passes, SlicesThatAreTogetherAllOfAValueAreReadAsIt) {
  EXPECT_EQ(sliced({{0, 5}, {5, 3}}), "%2 1x2x2x12 = Concat(x, y)\noutput z = %2\n");
  EXPECT_EQ(sliced({{0, 2}, {0, 2}, {2, 3}, {5, 3}}),
            "%1 1x2x2x2 = SliceChannels[0+2](x)\n%3 1x2x2x14 = Concat(%1, x, y)\noutput z = %3\n");
}

TEST(Passes, OtherSlicesAreLeft) {
  for (const std::string& text : {sliced({{0, 5}, {6, 2}}), sliced({{5, 3}, {0, 5}}), sliced({{0, 5}}), sliced({{1, 4}, {5, 3}})})
    EXPECT_EQ(text.find("Concat(x"), std::string::npos) << text;
}

TEST(Passes, ASiluStaysApartFromFloatsAndFromWhatOthersRead) {
  const std::string floats = to_text(keep_slopes(rounded_chain(Precision::kF32), Slopes::kConvolutions));
  EXPECT_NE(floats.find("= Activate[silu keeps slope](%3)"), std::string::npos) << floats;
  Graph read = rounded_chain(Precision::kBF16);
  read.mark_output("z", read.nodes().front().outputs[0]);
  const std::string text = to_text(keep_slopes(read, Slopes::kConvolutions));
  EXPECT_NE(text.find("= Activate[silu keeps slope](%3)"), std::string::npos) << text;
}

TEST(Passes, ASiluWhoseSlopeNobodyAsksForKeepsNone) {
  Graph graph;
  graph.mark_output("y", graph.add(Activate{Activation::kSilu}, {graph.input("x", {1, 4, 4, 8})}));
  EXPECT_EQ(to_text(keep_slopes(graph, Slopes::kConvolutions)), to_text(graph));
}

TEST(Passes, WithTheBatchsOwnStatisticsWhatLiesBetweenIsKeptRoundedToo) {
  Graph graph;
  const auto p = [&](const char* name, const Shape& shape) { return graph.parameter(name, shape); };
  const ValueId x = graph.input("x", {1, 4, 4, 8});
  const ValueId first = graph.add(Conv2d{}, {x, p("w", {8, 8, 1, 1})});
  const ValueId norm = graph.add_all(BatchNormTrain{1e-5F, Activation::kNone}, {first, p("g", {8}), p("b", {8})})[0];
  graph.mark_output("y", graph.add(Conv2d{}, {graph.add(Activate{Activation::kSilu}, {norm}), p("v", {4, 8, 1, 1})}));
  EXPECT_EQ(to_text(keep_rounded(round_convolutions(graph, Precision::kF32, Precision::kBF16))),
            "%2 1x4x4x8 bf16 = Conv2d[1x1 bf16](x, w)\n"
            "%5 1x4x4x8 bf16, %6 8, %7 8 = BatchNormTrain[eps 1e-05](%2, g, b)\n"
            "%8 1x4x4x8 bf16 = Activate[silu](%5)\n"
            "%10 1x4x4x4 = Conv2d[1x1 bf16](%8, v)\n"
            "output y = %10\n");
}

/// x -> conv -> block -> block -> conv -> y, and its backward nodes; the second block adds its input.
Graph rounded_blocks(Precision precision) {
  Graph graph;
  const auto p = [&](const std::string& name, const Shape& shape) { return graph.parameter(name, shape); };
  const auto block = [&](const std::string& name, ValueId x, bool residual) {
    return graph.add(InvertedResidual{.window = kSame3x3, .expands = false, .residual = residual, .precision = precision},
                     {x, p(name + "d", {8, 1, 3, 3}), p(name + "e", {8}), p(name + "p", {8, 8, 1, 1}), p(name + "q", {8})});
  };
  const ValueId x = graph.add(Conv2d{}, {graph.input("x", {1, 4, 4, 8}), p("w", {8, 8, 1, 1}), p("b", {8})});
  const ValueId last = block("second ", block("first ", x, false), true);
  graph.mark_output("y", graph.add(Conv2d{}, {last, p("v", {4, 8, 1, 1}), p("c", {4})}));
  return *differentiate_from(round_convolutions(graph, precision, Precision::kF32), "y", "dy",
                             [](std::string_view) { return true; });
}

/// How the first outputs of nodes are kept: "bf16 Conv2d", "f32 InvertedResidual", ...
std::vector<std::string> kept(const Graph& graph) {
  std::vector<std::string> all;
  for (const Node& node : graph.nodes()) {
    const bool rounded = graph.dtype(node.outputs[0]) == DType::kBF16;
    all.push_back((rounded ? "bf16 " : "f32 ") + std::string(name_of(node.op)));
  }
  return all;
}

TEST(Passes, BetweenRoundedBlocksAllButWhatIsAddedIsKeptRoundedWhereTheDeviceHasThat) {
  const std::vector<std::string> expected{"bf16 Conv2d",
                                          "f32 InvertedResidual",
                                          "bf16 InvertedResidual",
                                          "f32 Conv2d",
                                          "f32 Conv2dBackwardWeight",
                                          "bf16 Conv2dBackwardInput",
                                          "bf16 InvertedResidualBackward",
                                          "bf16 InvertedResidualBackward",
                                          "f32 Conv2dBackwardWeight"};
  EXPECT_EQ(kept(keep_rounded(rounded_blocks(Precision::kBF16), true)), expected);
  for (const std::string& one : kept(keep_rounded(rounded_blocks(Precision::kBF16)))) EXPECT_TRUE(one.starts_with("f32 ")) << one;
  EXPECT_EQ(to_text(keep_rounded(rounded_blocks(Precision::kF32), true)), to_text(rounded_blocks(Precision::kF32)));
}

TEST(Passes, WhatLiesBetweenIsKeptInTheNumbersOfItsProducts) {
  std::string expected = to_text(keep_rounded(rounded_chain(Precision::kBF16)));
  for (std::size_t at = 0; (at = expected.find("bf16", at)) != std::string::npos;) expected.replace(at, 4, "fp16");
  const Graph kept = keep_rounded(rounded_chain(Precision::kFP16));
  EXPECT_EQ(to_text(kept), expected);
  for (const Node& node : kept.nodes()) EXPECT_TRUE(is_kept_well(kept, node)) << name_of(node.op);
  Graph other = rounded_chain(Precision::kFP16);
  other.keep_as(other.nodes().front().outputs[0], DType::kBF16);
  EXPECT_FALSE(is_kept_well(other, other.nodes().front())) << "of another type than its products";
  EXPECT_EQ(to_text(keep_rounded(rounded_chain(Precision::kTF32))), to_text(rounded_chain(Precision::kTF32)));
}

TEST(Passes, FloatsStayFloats) {
  const Graph floats = rounded_chain(Precision::kF32);
  EXPECT_EQ(to_text(keep_rounded(floats)), to_text(floats));
}

TEST(Passes, WhatAnotherOpReadsStaysAFloatWithAllThatIsKeptLikeIt) {
  Graph graph;
  const auto p = [&](const char* name, const Shape& shape) { return graph.parameter(name, shape); };
  const Conv2d conv{.precision = Precision::kBF16};
  const ValueId x = graph.input("x", {1, 4, 4, 8});
  const ValueId y = graph.add(conv, {x, p("w", {8, 8, 1, 1}), p("b", {8})});
  const ValueId z = graph.add(conv, {y, p("v", {8, 8, 1, 1}), p("c", {8})});
  graph.mark_output("features", graph.add(GlobalAveragePool{}, {graph.add(Add{}, {x, z})}));
  EXPECT_EQ(to_text(keep_rounded(graph)),
            "%3 1x4x4x8 bf16 = Conv2d[1x1 bf16](x, w, b)\n"
            "%6 1x4x4x8 = Conv2d[1x1 bf16](%3, v, c)\n"
            "%7 1x4x4x8 = Add(x, %6)\n"
            "%8 1x8 = GlobalAveragePool(%7)\n"
            "output features = %8\n");
}

/// Which of a node's values are kept in bf16, and whether they may be.
bool is_kept_well(const Op& op, std::vector<bool> rounded) {
  Graph graph;
  std::vector<ValueId> ids{graph.input("a", {1, 4, 4, 8})};
  if (convolution_precision(op) == Precision::kBF16) {
    ids.push_back(graph.parameter("w", {8, 8, 1, 1}));
  } else {
    ids.push_back(graph.input("b", {1, 4, 4, 8}));
  }
  ids.push_back(graph.add(op, ids));
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (rounded[i]) graph.keep_as(ids[i], DType::kBF16);
  }
  return graph::is_kept_well(graph, graph.nodes().front());
}

TEST(Passes, ValuesThatAreKeptOtherwiseThanAnOpAllowsAreTold) {
  const Conv2d rounding{.precision = Precision::kBF16};
  EXPECT_TRUE(is_kept_well(rounding, {true, false, true}));
  EXPECT_TRUE(is_kept_well(rounding, {false, false, true}));
  EXPECT_FALSE(is_kept_well(rounding, {false, true, false})) << "weights are floats";
  EXPECT_TRUE(is_kept_well(Add{}, {true, true, true}));
  EXPECT_FALSE(is_kept_well(Add{}, {true, false, true}));
  EXPECT_FALSE(is_kept_well(Add{}, {true, true, false}));
}

TEST(Passes, GradientsOfTheTwoHalvesOfWhatWasSplitAreJoined) {
  for (const std::int64_t begin : {4, 5}) {
    SCOPED_TRACE(begin);
    Graph graph;
    const ValueId low = graph.input("low", {1, 2, 2, 4}), high = graph.input("high", {1, 2, 2, 9 - begin});
    const ValueId a = graph.add(PadChannels{begin, 9}, {high}), b = graph.add(PadChannels{0, 9}, {low});
    graph.mark_output("y", graph.add(Add{}, {a, b}));
    const std::string text = to_text(eliminate_dead(join_pads(graph)));
    if (begin == 4) {
      EXPECT_EQ(text, "%2 1x2x2x9 = Concat(low, high)\noutput y = %2\n");
    } else {
      EXPECT_NE(text.find("Add("), std::string::npos) << text;  // channel 4 is in neither
    }
  }
}

TEST(Passes, TrainingForgetsMapsAndKeepsUpdates) {
  Graph graph;
  const ValueId x = graph.input("x", {2, 4, 4, 8});
  const auto made = graph.add_all(BatchNormTrain{}, {x, graph.parameter("g", {8}), graph.parameter("b", {8})});
  graph.add_update({.momentum = 0.1F, .count = 32}, {made[1], made[2]}, {graph.state("mean", {8}), graph.state("var", {8})});
  graph.mark_output("stage/0", made[0]);
  graph.mark_output("features", graph.add(GlobalAveragePool{}, {made[0]}));
  const Graph kept = forget_maps(graph);
  EXPECT_FALSE(kept.output("stage/0"));
  EXPECT_TRUE(kept.output("features"));
  EXPECT_NE(to_text(kept).find("UpdateRunningStatistics"), std::string::npos);
}

}  // namespace
}  // namespace fovea::graph
