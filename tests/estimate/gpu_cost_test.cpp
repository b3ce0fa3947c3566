// SPDX-License-Identifier: Apache-2.0
#include "estimate/gpu_cost.h"

#include <gmock/gmock.h>

#include "cuda_host/host_backend.h"
#include "fovea/plan.h"
#include "graph/compile.h"
#include "model/registry.h"
#include "train/precision.h"
#include "train/tiny_data.h"

namespace fovea::estimate {
namespace {

TEST(GpuModels, AreFoundByAnyOfTheirNames) {
  for (const char* name : {"RTX 4060 Ti", "rtx4060ti", "NVIDIA GeForce RTX 4060 Ti", "rtx-4060-ti"}) {
    const auto model = find_gpu_model(name);
    ASSERT_TRUE(model.ok()) << name;
    EXPECT_EQ(model->name, "RTX 4060 Ti");
  }
  const auto none = find_gpu_model("Voodoo 2");
  ASSERT_FALSE(none.ok());
  EXPECT_EQ(none.error().kind, Error::Kind::kNotFound);
  EXPECT_THAT(none.error().message, testing::AllOf(testing::HasSubstr("Voodoo 2"), testing::HasSubstr("H200")));
}

TEST(GpuModels, EachHasItsRatesAndTheirSource) {
  for (const GpuModel& model : gpu_models()) {
    EXPECT_GT(model.gb_s, 0) << model.name;
    EXPECT_GT(model.half_tflops, model.fp32_tflops) << model.name;
    EXPECT_GE(model.gib, 8) << model.name;
    EXPECT_GE(model.capability, 7.5) << model.name;
    EXPECT_FALSE(model.source.empty()) << model.name;
  }
}

TEST(Roofline, AConvolutionMovesItsOperandsAndComputesItsProducts) {
  graph::Graph g;
  const auto x = g.input("x", {2, 4, 4, 8});
  const auto w = g.parameter("w", {16, 8, 1, 1});
  const auto b = g.parameter("b", {16});
  g.mark_output("y", g.add(graph::Conv2d{}, {x, w, b}));
  const Work work = work_of(g, g.nodes()[0]);
  EXPECT_DOUBLE_EQ(work.bytes, 4.0 * (2 * 4 * 4 * 8 + 16 * 8 + 16 + 2 * 4 * 4 * 16));
  EXPECT_DOUBLE_EQ(work.tensor_flops, 2.0 * 2 * 4 * 4 * 16 * 8);
  EXPECT_DOUBLE_EQ(work.ordinary_flops, 0);
  // The slowest of the three counts.
  GpuModel gpu{"test", 1, 1, 2, 4, 1, 9, ""};
  const Reach all{1, 1, 1, 0};
  EXPECT_DOUBLE_EQ(seconds_of(g, gpu, all), work.bytes / 1e9);
  gpu.gb_s = 1e9;
  EXPECT_DOUBLE_EQ(seconds_of(g, gpu, all), work.tensor_flops / 1e12);
  const Reach starts{1, 1, 1, 0.5};
  EXPECT_DOUBLE_EQ(seconds_of(g, gpu, starts), 0.5 + work.tensor_flops / 1e12);
}

TEST(Roofline, ProductsGoAtTheRateOfTheirPrecision) {
  const GpuModel gpu{"test", 1e9, 1, 2, 4, 1, 9, ""};
  const auto seconds = [&](graph::Precision precision) {
    graph::Graph g;
    const auto x = g.input("x", {2, 4, 4, 8});
    g.mark_output("y", g.add(graph::Conv2d{.precision = precision}, {x, g.parameter("w", {16, 8, 1, 1})}));
    return seconds_of(g, gpu, {1, 1, 1, 0});
  };
  const double fp32 = seconds(graph::Precision::kF32);
  EXPECT_DOUBLE_EQ(fp32, 2.0 * 2 * 4 * 4 * 16 * 8 / 1e12);
  EXPECT_DOUBLE_EQ(seconds(graph::Precision::kTF32), fp32 / 2);
  EXPECT_DOUBLE_EQ(seconds(graph::Precision::kBF16), fp32 / 4);
  EXPECT_DOUBLE_EQ(seconds(graph::Precision::kFP16), fp32 / 4);
}

TEST(Roofline, ValuesAreMovedAsTheyAreKept) {
  graph::Graph g;
  const auto x = g.input("x", {2, 4, 4, 8});
  const auto y = g.add(graph::Conv2d{.precision = graph::Precision::kBF16}, {x, g.parameter("w", {16, 8, 1, 1})});
  g.keep_as(y, DType::kBF16);
  EXPECT_DOUBLE_EQ(work_of(g, g.nodes()[0]).bytes, 4.0 * (2 * 4 * 4 * 8 + 16 * 8) + 2.0 * (2 * 4 * 4 * 16));
  EXPECT_EQ(arena_bytes(g), 2 * (2 * 4 * 4 * 16));
}

// The rule of the backend itself, which these estimates cannot ask: it is a plug-in.
TEST(Roofline, RoundsAsTheBackendDoes) {
  const auto backend = test::make_cuda_host_backend();
  for (const auto precision :
       {graph::Precision::kF32, graph::Precision::kTF32, graph::Precision::kBF16, graph::Precision::kFP16}) {
    EXPECT_EQ(gpu_precisions(precision), training::precisions_of(precision, *backend)) << graph::name_of(precision);
  }
  EXPECT_EQ(training::live_blocks_of(*backend), graph::LiveBlocks::kFused);
}

struct Sums {
  double bytes = 0, tensor = 0, ordinary = 0;
};
Sums sums_of(const graph::Graph& g) {
  Sums sums;
  for (const graph::Node& node : g.nodes()) {
    const Work work = work_of(g, node);
    sums.bytes += work.bytes;
    sums.tensor += work.tensor_flops;
    sums.ordinary += work.ordinary_flops;
  }
  return sums;
}

TEST(Roofline, ABlockAsOneOpComputesTheSameAndMovesLess) {
  NetworkSpec spec = find_architecture("mobilenet_v2")->spec;
  spec.height = spec.width = 96;
  const auto fused = graphs_of(spec, 32, NormMode::kFrozen, true, graph::Precision::kF32);
  const auto apart = graphs_of(spec, 32, NormMode::kFrozen, false, graph::Precision::kF32);
  ASSERT_TRUE(fused.ok() && apart.ok());
  const Sums a = sums_of(fused->look);
  const Sums b = sums_of(apart->look);
  EXPECT_NEAR(a.tensor, b.tensor, 1e-9 * b.tensor);
  EXPECT_NEAR(a.ordinary, b.ordinary, 1e-9 * b.ordinary);
  EXPECT_LT(a.bytes, 0.6 * b.bytes);
  // Backward, its forward part once more.
  const Sums c = sums_of(fused->learn);
  EXPECT_GT(c.tensor, 3 * a.tensor);
  EXPECT_LT(c.tensor, 4.2 * a.tensor);
  EXPECT_LT(c.bytes, sums_of(apart->learn).bytes);
}

TEST(Roofline, MemoryGrowsWithTheBatch) {
  NetworkSpec spec = find_architecture("mobilenet_v2_0.35")->spec;
  spec.height = spec.width = 160;
  const auto bytes = [&](int rows, NormMode norm, graph::Precision precision) {
    return static_cast<double>(arena_bytes(graphs_of(spec, rows, norm, true, precision)->learn));
  };
  const double some = bytes(16, NormMode::kFrozen, graph::Precision::kF32);
  const double ratio = bytes(32, NormMode::kFrozen, graph::Precision::kF32) / some;
  EXPECT_GT(ratio, 1.5);
  EXPECT_LT(ratio, 2.1);
  // What live blocks keep for backward is wide, and half as much in 16 bits.
  const double live = bytes(16, NormMode::kLive, graph::Precision::kF32);
  EXPECT_GT(live, 1.5 * some);
  EXPECT_LT(bytes(16, NormMode::kLive, graph::Precision::kBF16), 0.8 * live);
}

TEST(GpuCost, AFasterGpuIsFasterAndALargerOneHoldsMore) {
  NetworkSpec spec = find_architecture("mobilenet_v2")->spec;
  RunFacts facts;
  facts.train = 60000;
  facts.val = 1000;
  facts.batch = 256;
  facts.ways = {NormMode::kFrozen};
  const auto small = gpu_costs(spec, *find_gpu_model("RTX 4060 Ti"), facts, {}, 256);
  const auto large = gpu_costs(spec, *find_gpu_model("H200"), facts, {}, 256);
  ASSERT_TRUE(small.ok() && large.ok());
  EXPECT_LT(large->at_best.network.learn.seconds, small->at_best.network.learn.seconds / 4);
  EXPECT_LT(small->at_best.network.learn.seconds, small->at_worst.network.learn.seconds);
  EXPECT_GT(large->largest_batch, small->largest_batch);
  EXPECT_GT(small->largest_batch, 16);
  // 60,000 photos of 256 by 341 pixels are 15.7 GB.
  EXPECT_TRUE(large->holds_data_set);
  EXPECT_FALSE(small->holds_data_set);
}

TEST(GpuCost, ABatchIsNoLargerThanKernelsCount) {
  NetworkSpec spec = find_architecture("mobilenet_v2")->spec;
  RunFacts facts;
  facts.train = 1000;
  facts.ways = {NormMode::kLive};
  // The widest value that a live block keeps has 56 x 56 x 144 numbers a photo, the stem's sums 112 x 112 x 32, an H200 room for
  // more.
  const int live = gpu_costs(spec, *find_gpu_model("H200"), facts, {}, 256)->largest_batch;
  EXPECT_LE(live, 2'147'483'647 / (56 * 56 * 144));
  EXPECT_GT(live, 1000);
}

TEST(GpuCost, ThePrecisionIsTheOneThatTrainingWouldChoose) {
  const NetworkSpec spec = find_architecture("mobilenet_v2")->spec;
  RunFacts facts;
  facts.train = 1000;
  facts.ways = {NormMode::kFrozen};
  const auto costs = [&](const char* gpu, PrecisionChoice precision) {
    facts.precision = precision;
    return *gpu_costs(spec, *find_gpu_model(gpu), facts, {}, 256);
  };
  EXPECT_EQ(costs("H200", PrecisionChoice::kAuto).precision, graph::Precision::kBF16);
  EXPECT_EQ(costs("H200", PrecisionChoice::kFp32).precision, graph::Precision::kF32);
  EXPECT_EQ(costs("T4", PrecisionChoice::kAuto).precision, graph::Precision::kF32) << "it has no bf16";
  EXPECT_EQ(costs("T4", PrecisionChoice::kFp16).precision, graph::Precision::kFP16);
  const auto learn = [&](PrecisionChoice precision) { return costs("A100", precision).at_best.network.learn.seconds; };
  EXPECT_LT(learn(PrecisionChoice::kBf16), learn(PrecisionChoice::kTf32));
  EXPECT_LT(learn(PrecisionChoice::kTf32), learn(PrecisionChoice::kFp32));
}

TEST(GpuCost, WhatAGpuDoesNotMultiplyIsTrainingsOwnError) {
  const auto asked = choose_precision(PrecisionChoice::kBf16, *find_gpu_model("T4"));
  ASSERT_FALSE(asked.ok());
  EXPECT_EQ(asked.error().kind, Error::Kind::kUnsupported);
  EXPECT_THAT(asked.error().message, testing::StartsWith("precision bf16: the T4 device has no kernels for it"));
}

TEST(GpuCost, APlanForAGpuThatIsNotHereIsMarkedAnEstimate) {
  const test::TemporaryFolder folder;
  TrainingPlanOptions options;
  options.run = test::prepare_tiny_run(folder);
  options.run.scope = Scope::kFull;
  options.archs = {"mobilenet_v2_0.35"};
  options.gpus = {"H200", "RTX 4060 Ti"};
  const auto plan = plan_training(options);
  ASSERT_TRUE(plan.ok()) << plan.error().message;
  ASSERT_EQ(plan->networks.size(), 2U);
  EXPECT_FALSE(plan->pick.has_value());
  for (const NetworkPlan& network : plan->networks) {
    ASSERT_TRUE(network.estimate.has_value());
    EXPECT_GT(network.steps_per_second, network.estimate->slow_steps_per_second);
    EXPECT_GE(network.estimate->slow_whole.seconds, network.whole.seconds);
    EXPECT_GT(network.estimate->largest_batch, options.run.batch);
    EXPECT_GT(network.memory, 4 * network.parameters);
    EXPECT_EQ(network.precision, "bf16");
    EXPECT_NE(network.precision_reason, "");
  }
  EXPECT_EQ(plan->networks[0].device, "H200");
  EXPECT_EQ(plan->networks[0].estimate->precision_tflops, find_gpu_model("H200")->half_tflops);
  options.gpus = {"Voodoo 2"};
  const auto none = plan_training(options);
  ASSERT_FALSE(none.ok());
  EXPECT_EQ(none.error().kind, Error::Kind::kNotFound);
}

TEST(WaitingShare, IsWhatIsLeftOfTheSlowerSide) {
  const auto of = [](double seconds) { return Cost{seconds, seconds}; };
  EXPECT_DOUBLE_EQ(waiting_share(of(2), of(1), true), 0);
  EXPECT_DOUBLE_EQ(waiting_share(of(1), of(4), true), 0.75);
  // The same processors do both: while the network learns for 2 s, 1 s worth of photos is made ready, and 3 s worth after that.
  EXPECT_DOUBLE_EQ(waiting_share(of(1), of(4), false), 0.6);
}

}  // namespace
}  // namespace fovea::estimate
