// Threads, devices and teams, as CUDA wants them: each thread has a current device, and kernels are started on that alone.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <future>
#include <thread>

#include "backend/cuda/gpu/leaving.h"
#include "backend/training_ops.h"
#include "cuda_host/host_backend.h"
#include "model/network.h"
#include "model/network_runner.h"
#include "runtime/executor.h"

namespace fovea {
namespace {

using testing::ElementsAre;

/// y = x w' + b.
graph::Graph layer() {
  graph::Graph graph;
  graph.mark_output(
      "y", graph.add(graph::Linear{}, {graph.input("x", {1, 2}), graph.parameter("w", {1, 2}), graph.parameter("b", {1})}));
  return graph;
}

TEST(CudaThreads, AThreadGoesFromOneDeviceToAnother) {
  const auto first = test::make_cuda_host_backend(), second = test::make_cuda_host_backend();
  const DeviceBuffer of_first(first->memory(), 64), of_second(second->memory(), 64);
  first->training()->accumulate(of_first.f32(), of_first.f32(), 1);
  second->training()->accumulate(of_second.f32(), of_second.f32(), 1);
  const auto plan = Plan::make({}, layer(), *first);
  ASSERT_TRUE(plan.ok()) << plan.error().message;
  const DeviceBuffer more(second->memory(), 64);
  Executor executor(*plan);
  std::array<float, 2> x{1, 2}, w{3, 4};
  std::array<float, 1> b{5};
  executor.bind("x", x.data());
  executor.bind("w", w.data());
  executor.bind("b", b.data());
  const DeviceBuffer still_more(second->memory(), 64);
  executor.run();
  EXPECT_THAT(executor.output("y").floats(), ElementsAre(16.0F));
}

TEST(CudaThreads, ANewThreadChoosesTheDevice) {
  const auto backend = test::make_cuda_host_backend();
  const DeviceBuffer sum(backend->memory(), 64);
  const auto ops = backend->training();
  std::async(std::launch::async, [&] { ops->accumulate(sum.f32(), sum.f32(), 1); }).get();
  EXPECT_TRUE(std::async(std::launch::async, [&] { return Plan::make({}, layer(), *backend).ok(); }).get());
}

TEST(CudaThreads, WhoWaitsTakesTheTurnForOthersMayBeRecording) {
  std::vector<bool> waits;
  const auto backend = test::make_cuda_host_backend({.waits = &waits});
  const NetworkSpec spec{
      .family = NetworkFamily::kMobileNetV2, .width_multiplier = 0.35, .classes = 2, .height = 32, .width = 32};
  ParameterSet parameters(*build_network(spec, {}));
  constexpr std::string_view kOutputs[] = {"logits"};
  auto runner = NetworkRunner::create({}, *backend, spec, parameters, 1, kOutputs);
  ASSERT_TRUE(runner.ok()) << runner.error().message;
  runner->run();
  EXPECT_THAT(waits, ElementsAre(true));
}

TEST(Leaving, WhatOthersJustUseIsEndedAfterwards) {
  cuda::Leaving leaving;
  std::promise<void> begun;
  bool used = false, ended = false;
  auto other = std::async(std::launch::async, [&] {
    return leaving.unless_left([&] {
      begun.set_value();
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
      EXPECT_FALSE(ended);
      return used = true;
    });
  });
  begun.get_future().wait();
  leaving.leave([&] {
    EXPECT_TRUE(used);
    ended = true;
  });
  EXPECT_TRUE(ended && leaving.left());
  EXPECT_EQ(other.get(), std::nullopt);
  EXPECT_EQ(leaving.unless_left([] { return ADD_FAILURE(), 1; }), std::nullopt);
  leaving.leave([] { ADD_FAILURE() << "ended twice"; });
}

TEST(Leaving, WhoWaitsForOthersIsReleased) {
  cuda::Leaving leaving(std::chrono::milliseconds(1));
  std::promise<void> begun, released;
  auto other = std::async(std::launch::async, [&] {
    return leaving.unless_left([&] {
      begun.set_value();
      released.get_future().wait();
      return true;
    });
  });
  begun.get_future().wait();
  leaving.leave([&] { released.set_value(); });
  EXPECT_EQ(other.get(), std::nullopt);
}

}  // namespace
}  // namespace fovea
