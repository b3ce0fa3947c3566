// The instruction set of the CPU backend can be chosen, and the kernel says which it is.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "backend/cpu/cpu_backend.h"
#include "backend/registry.h"
#include "runtime/executor.h"

namespace fovea {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

/// A variable of the environment for as long as it lives.
class CpuSetting {
 public:
  explicit CpuSetting(const char* value, const char* name = "FOVEA_CPU") : name_(name) {
    if (const char* before = std::getenv(name)) before_ = before;
    setenv(name, value, 1);
  }
  ~CpuSetting() { before_.empty() ? unsetenv(name_) : setenv(name_, before_.c_str(), 1); }
  CpuSetting(const CpuSetting&) = delete;
  CpuSetting& operator=(const CpuSetting&) = delete;

 private:
  const char* name_;
  std::string before_;
};

/// The name of the first node's kernel, and `y`, as `backend` chose and computed them; every tensor of the graph is filled.
struct Ran {
  std::string kernel;
  std::vector<float> y;
};
Ran run(const Backend& backend, graph::Graph graph, bool constant_weights = true) {
  std::vector<std::vector<float>> tensors;
  auto plan = Plan::make(Context{}, std::move(graph), backend, {.constant_weights = constant_weights});
  EXPECT_TRUE(plan) << plan.error().message;
  Executor executor(*plan);
  float next = 0;
  for (const graph::Value& value : (*plan)->graph().values()) {
    if (value.role != graph::Role::kInput && value.role != graph::Role::kParameter) continue;
    tensors.emplace_back(static_cast<std::size_t>(value.shape.elements()));
    for (float& number : tensors.back()) number = next = next > 1 ? next - 1.9F : next + 0.37F;
    executor.bind(value.name, tensors.back().data());
  }
  executor.prepare_weights();
  executor.run();
  const auto y = executor.output("y").floats();
  return {std::string((*plan)->nodes().front().kernel->name()), {y.begin(), y.end()}};
}

/// A depthwise convolution.
Ran run_depthwise(const Backend& backend) {
  constexpr std::int64_t kSide = 9, kChannels = 21;
  graph::Graph graph;
  const auto x = graph.input("x", {1, kSide, kSide, kChannels});
  const auto w = graph.parameter("w", {kChannels, 1, 3, 3});
  const auto b = graph.parameter("b", {kChannels});
  graph.mark_output("y", graph.add(graph::DepthwiseConv2d{{3, 3, 1, {1, 1, 1, 1}}, graph::Activation::kRelu6}, {x, w, b}));
  return run(backend, std::move(graph));
}

/// A dense convolution whose weights may change.
Ran run_convolution(const Backend& backend) {
  constexpr std::int64_t kSide = 9, kChannels = 21, kOutputs = 17;
  graph::Graph graph;
  const auto x = graph.input("x", {1, kSide, kSide, kChannels});
  const auto w = graph.parameter("w", {kOutputs, kChannels, 3, 3});
  const auto b = graph.parameter("b", {kOutputs});
  graph.mark_output("y", graph.add(graph::Conv2d{{3, 3, 1, {1, 1, 1, 1}}, graph::Activation::kNone}, {x, w, b}));
  return run(backend, std::move(graph), false);
}

/// A block whose products are of bf16 numbers, of channels that fill no whole vector.
Ran run_block(const Backend& backend) {
  constexpr std::int64_t kSide = 9, kChannels = 21, kInner = 55;
  graph::Graph graph;
  const auto parameter = [&](const char* name, const Shape& shape) { return graph.parameter(name, shape); };
  const graph::InvertedResidual block{.window = {3, 3, 1, {1, 1, 1, 1}}, .residual = true, .precision = graph::Precision::kBF16};
  graph.mark_output("y",
                    graph.add(block, {graph.input("x", {1, kSide, kSide, kChannels}), parameter("we", {kInner, kChannels, 1, 1}),
                                      parameter("be", {kInner}), parameter("wd", {kInner, 1, 3, 3}), parameter("bd", {kInner}),
                                      parameter("wp", {kChannels, kInner, 1, 1}), parameter("bp", {kChannels})}));
  return run(backend, std::move(graph));
}

TEST(CpuTarget, EveryUsableSetRunsAndAgrees) {
  const auto best = make_cpu_backend();
  ASSERT_TRUE(best) << best.error().message;
  const Ran expected = run_depthwise(**best);
  int usable = 0;
  for (const char* name : {"avx3", "avx2", "sse4", "neon", "scalar"}) {
    const CpuSetting setting(name);
    const auto backend = make_cpu_backend();
    if (!backend) {
      EXPECT_THAT(backend.error().message, HasSubstr("expected one of"));
      continue;
    }
    ++usable;
    const Ran ran = run_depthwise(**backend);
    EXPECT_THAT(ran.kernel, StartsWith(std::string(name) + "/"));
    // Nine products of numbers below 2 and a bias, with or without fused rounding.
    constexpr float kTolerance = 10 * 9 * 2 * 2 * 0x1p-24F;
    ASSERT_EQ(ran.y.size(), expected.y.size());
    for (std::size_t i = 0; i < ran.y.size(); ++i) ASSERT_NEAR(ran.y[i], expected.y[i], kTolerance) << name << " at " << i;
  }
  EXPECT_GE(usable, 1);
}

/// Units for bf16; this processor may lack them.
class Bf16Unit : public testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(CpuTarget, Bf16Unit, testing::Values("amx", "avx512_bf16"),
                         [](const auto& unit) { return std::string(unit.param); });

TEST_P(Bf16Unit, RunsWhereItIsAndAgrees) {
  const CpuSetting setting(GetParam());
  const auto backend = make_cpu_backend();
  if (!backend) {
    EXPECT_THAT(backend.error().message, HasSubstr("expected one of"));
    GTEST_SKIP() << "this processor has no " << GetParam();
  }
  const auto reference = make_backend("reference");
  ASSERT_TRUE(reference);
  const Ran expected = run_block(**reference), ran = run_block(**backend);
  EXPECT_EQ(ran.kernel, std::string(GetParam()) + "/inverted_residual");
  ASSERT_EQ(ran.y.size(), expected.y.size());
  // Sums in another order may round a few activations, at most 6, the other way; weights are below 1.4.
  constexpr float kTolerance = 4 * 6 * 0x1p-8F * 1.4F;
  for (std::size_t i = 0; i < ran.y.size(); ++i) ASSERT_NEAR(ran.y[i], expected.y[i], kTolerance) << "at " << i;
}

TEST(CpuTarget, NarrowerVectorsAreWithoutBf16) {
  const CpuSetting setting("scalar");
  const auto backend = make_cpu_backend();
  if (!backend) GTEST_SKIP() << "no scalar kernels here";
  graph::Graph graph;
  graph.add(graph::InvertedResidual{.window = {3, 3, 1, {1, 1, 1, 1}}, .expands = false, .precision = graph::Precision::kBF16},
            {graph.input("x", {1, 4, 4, 32}), graph.parameter("wd", {32, 1, 3, 3}), graph.parameter("bd", {32}),
             graph.parameter("wp", {16, 32, 1, 1}), graph.parameter("bp", {16})});
  EXPECT_FALSE((*backend)->supports(graph, graph.nodes().front()));
}

TEST(CpuTarget, AnUnknownSetIsRefusedWithTheUsableOnes) {
  const CpuSetting setting("avx9");
  const auto backend = make_cpu_backend();
  ASSERT_FALSE(backend);
  EXPECT_THAT(backend.error().message, HasSubstr("FOVEA_CPU: got 'avx9'"));
#if defined(__aarch64__)
  EXPECT_THAT(backend.error().message, HasSubstr("neon"));
#else
  EXPECT_THAT(backend.error().message, HasSubstr("scalar"));
#endif
}

#if defined(__aarch64__)
TEST(CpuTarget, ArmRunsNeonAndOwnProducts) {
  const auto backend = make_cpu_backend();
  ASSERT_TRUE(backend) << backend.error().message;
  EXPECT_THAT(run_depthwise(**backend).kernel, StartsWith("neon/"));
  EXPECT_EQ(run_convolution(**backend).kernel, "neon/conv2d");
}
#endif

TEST(CpuProducts, AreWhatIsAskedForAndAgree) {
  std::vector<Ran> ran;
  for (const char* name : {"onednn", "own"}) {
    const CpuSetting setting(name, "FOVEA_PRODUCTS");
    const auto backend = make_cpu_backend();
    ASSERT_TRUE(backend) << backend.error().message;
    ran.push_back(run_convolution(**backend));
  }
  EXPECT_THAT(ran[0].kernel, StartsWith("onednn"));
  EXPECT_THAT(ran[1].kernel, testing::Not(StartsWith("onednn")));
  ASSERT_EQ(ran[0].y.size(), ran[1].y.size());
  // 189 products of numbers below 2, added up in other orders.
  constexpr float kTolerance = 189 * 189 * 2 * 2 * 0x1p-24F;
  for (std::size_t i = 0; i < ran[0].y.size(); ++i) ASSERT_NEAR(ran[0].y[i], ran[1].y[i], kTolerance) << "at " << i;
}

TEST(CpuProducts, OwnOnesAreOfFloats) {
  const CpuSetting setting("own", "FOVEA_PRODUCTS");
  const auto backend = make_cpu_backend();
  ASSERT_TRUE(backend) << backend.error().message;
  graph::Graph graph;
  graph.add(graph::Conv2d{.window = {3, 3, 1, {1, 1, 1, 1}}, .precision = graph::Precision::kBF16},
            {graph.input("x", {1, 4, 4, 32}), graph.parameter("w", {16, 32, 3, 3}), graph.parameter("b", {16})});
  EXPECT_FALSE((*backend)->supports(graph, graph.nodes().front()));
}

TEST(CpuProducts, AnUnknownOneIsRefused) {
  const CpuSetting setting("mkl", "FOVEA_PRODUCTS");
  const auto backend = make_cpu_backend();
  ASSERT_FALSE(backend);
  EXPECT_THAT(backend.error().message, HasSubstr("FOVEA_PRODUCTS: got 'mkl', expected onednn or own"));
}

}  // namespace
}  // namespace fovea
