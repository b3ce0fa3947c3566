// Blocks of real size with the batch's own statistics, in many bands and parts: as one op what their ops give one by one, or,
// where their operands are rounded, what the reference gives.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "backend/registry.h"
#include "core/rng.h"
#include "graph/autodiff.h"
#include "graph/passes.h"
#include "runtime/executor.h"
#include "train/precision.h"

namespace fovea {
namespace {

struct Block {
  std::int64_t images, side, in, inner, out;
  graph::Window window;
};

/// Named y, from input x: pointwise, depthwise, pointwise, each with its statistics.
graph::Graph network(const Block& block) {
  graph::Graph graph;
  const auto norm = [&](graph::ValueId v, const std::string& name, graph::Activation activation) {
    const Shape c{graph.shape(v).back()};
    return graph.add(graph::BatchNormTrain{1e-5F, activation},
                     {v, graph.parameter("g" + name, c), graph.parameter("b" + name, c)});
  };
  graph::ValueId v = graph.input("x", {block.images, block.side, block.side, block.in});
  v = norm(graph.add(graph::Conv2d{}, {v, graph.parameter("we", {block.inner, block.in, 1, 1})}), "1", graph::Activation::kRelu6);
  const Shape taps{block.inner, 1, block.window.kernel_h, block.window.kernel_w};
  v = norm(graph.add(graph::DepthwiseConv2d{block.window}, {v, graph.parameter("wd", taps)}), "2", graph::Activation::kRelu6);
  v = graph.add(graph::Conv2d{}, {v, graph.parameter("wp", {block.out, block.inner, 1, 1})});
  graph.mark_output("y", v);
  return graph;
}

using Outputs = std::map<std::string, std::vector<float>>;

std::unique_ptr<Backend> backend_named(const std::string& name) { return *make_backend(name); }

/// Outputs and gradients of a network; every leaf is drawn by its name.
Outputs run(const graph::Graph& forward, int threads, const std::string& backend_name = "cpu") {
  const std::array<std::string, 1> inputs{"x"};
  auto both = graph::differentiate_from(
      forward, "y", "dy", [](std::string_view) { return true; }, inputs);
  if (!both) return ADD_FAILURE() << both.error().message, Outputs{};
  const std::unique_ptr<Backend> backend = backend_named(backend_name);
  Context context;
  context.threads = threads;
  context.deterministic = true;
  auto plan = Plan::make(context, graph::keep_rounded(*std::move(both)), *backend, {.constant_weights = false});
  if (!plan) return ADD_FAILURE() << plan.error().message, Outputs{};
  Executor executor(*plan);
  std::map<std::string, std::vector<float>> leaves;
  for (const graph::Value& value : (*plan)->graph().values()) {
    if (value.role == graph::Role::kIntermediate) continue;
    Rng rng(std::hash<std::string>()(value.name));
    std::vector<float>& numbers = leaves[value.name];
    numbers.resize(static_cast<std::size_t>(value.shape.elements()));
    // x has a mean: what a variance as a difference of squares loses digits on.
    for (float& number : numbers) number = rng.normal() + (value.name == "x" || value.name.starts_with('g') ? 2.0F : 0.0F);
    executor.bind(value.name, numbers.data());
  }
  executor.run();
  Outputs made;
  for (const graph::Graph::Output& output : (*plan)->graph().outputs()) {
    const auto numbers = executor.output(output.name).floats();
    made[output.name] = {numbers.begin(), numbers.end()};
  }
  return made;
}

/// How many numbers are off by more than a thousandth of their root mean square.
std::size_t count_off(const std::vector<float>& a, const std::vector<float>& b) {
  double squares = 0;
  for (const float number : b) squares += std::pow(static_cast<double>(number), 2);
  const double most = 1e-3 * std::sqrt(squares / static_cast<double>(b.size()));
  std::size_t count = 0;
  for (std::size_t i = 0; i < b.size(); ++i)
    count += std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i])) > most ? 1 : 0;
  return count;
}

void expect_alike(const Block& block) {
  const graph::Graph apart = network(block);
  const graph::Graph fused = graph::fuse_live_inverted_residuals(apart, graph::Precision::kF32);
  ASSERT_EQ(fused.nodes().size(), 1U);
  const Outputs one = run(fused, 2), ops = run(apart, 2);
  ASSERT_EQ(ops.size(), 9U);
  ASSERT_EQ(one.size(), ops.size());
  // Of a million activations rounding carries one or two over a kink, which shows in a gradient of their channel or position.
  for (const auto& [name, values] : ops) EXPECT_LE(count_off(one.at(name), values), 2 + values.size() / 200) << name;
  EXPECT_EQ(run(fused, 1), one) << "other bits with one thread";
  EXPECT_EQ(run(fused, 3), one) << "other bits with three threads";
}

/// How far gradients are from others, by norm.
double distance(const Outputs& made, const Outputs& truth) {
  double squares = 0, difference = 0;
  for (const auto& [name, values] : truth) {
    for (std::size_t i = 0; i < values.size(); ++i) {
      squares += std::pow(static_cast<double>(values[i]), 2);
      difference += std::pow(static_cast<double>(made.at(name)[i]) - static_cast<double>(values[i]), 2);
    }
  }
  return std::sqrt(difference / squares);
}

graph::Graph rounded(const Block& block) { return graph::fuse_live_inverted_residuals(network(block), graph::Precision::kBF16); }

bool has_bf16() {
  return training::precisions_of(graph::Precision::kBF16, *backend_named("cpu")).live_blocks == graph::Precision::kBF16;
}

void expect_as_reference(const Block& block) {
  if (!has_bf16()) GTEST_SKIP() << "no products of bf16";
  const graph::Graph fused = rounded(block);
  ASSERT_EQ(fused.nodes().size(), 1U);
  const Outputs made = run(fused, 2), truth = run(fused, 2, "reference");
  ASSERT_EQ(made.size(), truth.size());
  for (const auto& [name, values] : truth) EXPECT_LE(count_off(made.at(name), values), 2 + values.size() / 200) << name;
  EXPECT_EQ(run(fused, 1), made) << "other bits with one thread";
  EXPECT_EQ(run(fused, 3), made) << "other bits with three threads";
}

TEST(CpuLiveBlock, ManyBands) { expect_alike({3, 56, 24, 144, 24, {3, 3, 1, {1, 1, 1, 1}}}); }
TEST(CpuLiveBlock, StrideOfTwo) { expect_alike({2, 112, 16, 96, 24, {3, 3, 2, {0, 0, 1, 1}}}); }
TEST(CpuLiveBlock, FiveByFive) { expect_alike({9, 28, 40, 240, 80, {5, 5, 2, {2, 2, 2, 2}}}); }
TEST(CpuLiveBlock, ManyChannels) { expect_alike({16, 7, 160, 960, 160, {3, 3, 1, {1, 1, 1, 1}}}); }

TEST(CpuLiveBlock, ManyBandsInBf16) { expect_as_reference({5, 56, 24, 144, 24, {3, 3, 1, {1, 1, 1, 1}}}); }
TEST(CpuLiveBlock, StrideOfTwoInBf16) { expect_as_reference({4, 57, 16, 96, 24, {3, 3, 2, {0, 0, 1, 1}}}); }
TEST(CpuLiveBlock, FiveByFiveInBf16) { expect_as_reference({5, 27, 40, 100, 80, {5, 5, 2, {2, 2, 2, 2}}}); }
TEST(CpuLiveBlock, ManyChannelsInBf16) { expect_as_reference({3, 7, 160, 960, 160, {3, 3, 1, {1, 1, 1, 1}}}); }

/// Sizes at which the contract leaves rounded gradients out, because a rounding that may fall either way reaches too much: here
/// none does. Near those of floats, which are held to finite differences: with so few positions they are off by some per cent.
TEST(CpuLiveBlock, FewPositionsInBf16) {
  constexpr graph::Window kThree{3, 3, 1, {1, 1, 1, 1}}, kFive{5, 5, 2, {1, 1, 2, 2}};
  for (const Block& block : {Block{2, 4, 3, 7, 5, kThree}, Block{2, 7, 8, 16, 8, kFive}, Block{4, 6, 2, 50, 3, kThree}})
    expect_as_reference(block);
  for (const Block& block : {Block{2, 4, 3, 7, 5, kThree}, Block{2, 7, 8, 16, 8, kFive}}) {
    const graph::Graph floats = graph::fuse_live_inverted_residuals(network(block), graph::Precision::kF32);
    const double far = distance(run(rounded(block), 1, "reference"), run(floats, 1));
    EXPECT_LT(far, 0.06) << block.inner << " channels";
    EXPECT_GT(far, 1e-4) << "nothing was rounded";
  }
}

}  // namespace
}  // namespace fovea
