// The instruction set of the CPU backend can be chosen, and the kernel says which it is.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "backend/cpu/cpu_backend.h"
#include "runtime/executor.h"

namespace fovea {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

/// FOVEA_CPU for as long as it lives.
class CpuSetting {
 public:
  explicit CpuSetting(const char* value) {
    if (const char* before = std::getenv("FOVEA_CPU")) before_ = before;
    setenv("FOVEA_CPU", value, 1);
  }
  ~CpuSetting() { before_.empty() ? unsetenv("FOVEA_CPU") : setenv("FOVEA_CPU", before_.c_str(), 1); }
  CpuSetting(const CpuSetting&) = delete;
  CpuSetting& operator=(const CpuSetting&) = delete;

 private:
  std::string before_;
};

/// A depthwise convolution, run by what `backend` chose.
struct Ran {
  std::string kernel;
  std::vector<float> y;
};
Ran run_depthwise(const Backend& backend) {
  constexpr std::int64_t kSide = 9, kChannels = 21;
  graph::Graph graph;
  const auto x = graph.input("x", {1, kSide, kSide, kChannels});
  const auto w = graph.parameter("w", {kChannels, 1, 3, 3});
  const auto b = graph.parameter("b", {kChannels});
  graph.mark_output("y", graph.add(graph::DepthwiseConv2d{{3, 3, 1, {1, 1, 1, 1}}, graph::Activation::kRelu6}, {x, w, b}));
  auto plan = Plan::make(Context{}, std::move(graph), backend, {.constant_weights = true});
  EXPECT_TRUE(plan) << plan.error().message;
  std::vector<float> image(kSide * kSide * kChannels), weights(kChannels * 9), bias(kChannels);
  float next = 0;
  for (auto* values : {&image, &weights, &bias}) {
    for (float& value : *values) value = next = next > 1 ? next - 1.9F : next + 0.37F;
  }
  Executor executor(*plan);
  executor.bind("x", image.data());
  executor.bind("w", weights.data());
  executor.bind("b", bias.data());
  executor.prepare_weights();
  executor.run();
  const auto y = executor.output("y").floats();
  return {std::string((*plan)->nodes().front().kernel->name()), {y.begin(), y.end()}};
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

TEST(CpuTarget, AnUnknownSetIsRefusedWithTheUsableOnes) {
  const CpuSetting setting("avx9");
  const auto backend = make_cpu_backend();
  ASSERT_FALSE(backend);
  EXPECT_THAT(backend.error().message, HasSubstr("FOVEA_CPU: got 'avx9'"));
  EXPECT_THAT(backend.error().message, HasSubstr("scalar"));
}

}  // namespace
}  // namespace fovea
