// SPDX-License-Identifier: Apache-2.0
#include "benchmark/settings.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <vector>

#include "benchmark/network.h"
#include "core/buffer.h"

namespace fovea::benchmark {
namespace {

TEST(Quantile, LiesBetweenItsNeighbours) {
  const std::vector<double> values{4, 1, 3, 2};
  EXPECT_EQ(quantile(values, 0), 1);
  EXPECT_EQ(quantile(values, 0.5), 2.5);
  EXPECT_EQ(quantile(values, 1), 4);
  EXPECT_DOUBLE_EQ(quantile(values, 0.95), 3.85);
  EXPECT_EQ(quantile(std::vector<double>{7}, 0.95), 7);
}

TEST(Threads, AreInOrderAndOnce) {
  EXPECT_EQ(threads_of({.threads = {4, 1, 4}}).value(), (std::vector<int>{1, 4}));
  EXPECT_EQ(threads_of({}).value().front(), 1);
  EXPECT_EQ(threads_of({}).value().back(), available_processors());
  EXPECT_EQ(threads_of({.threads = {0}}).error().kind, Error::Kind::kUsage);
  EXPECT_EQ(threads_of({.seconds = 0}).error().kind, Error::Kind::kUsage);
}

TEST(TimeRuns, WarmsUpOnceAndRunsAtLeastAsOftenAsAsked) {
  int runs = 0;
  const auto times = time_runs({}, 1e-9, 4, [&]() -> Result<void> {
    ++runs;
    return {};
  });
  ASSERT_TRUE(times.ok());
  EXPECT_EQ(times->size(), 4U);
  EXPECT_EQ(runs, 5);
}

TEST(TimeRuns, EndsOnRequest) {
  const std::atomic<bool> stop = true;
  Context context;
  context.stop = &stop;
  EXPECT_EQ(time_runs(context, 1, 1, []() -> Result<void> { return {}; }).error().kind, Error::Kind::kCancelled);
}

/// A pointwise, a depthwise and a dense layer of known sizes say what a multiply-add counts.
TEST(Arithmetic, GrowsWithTheBatchAndIsAboutThreeTimesAsMuchInTraining) {
  NetworkBenchOptions options;
  options.archs = {"mobilenet_v2"};
  options.size = 224;
  const auto networks = networks_of(options);
  ASSERT_TRUE(networks.ok()) << networks.error().message;
  const NetworkSpec& spec = networks->front().spec;
  const double once = arithmetic_of(spec, 1, false).value();
  // The paper's 300 million multiply-adds (M. Sandler et al., "MobileNetV2", CVPR 2018, table 4), rounded by the authors to 1 %.
  EXPECT_NEAR(once / 2 * 1e-6, 300, 3);
  EXPECT_NEAR(arithmetic_of(spec, 4, false).value(), 4 * once, 1);
  // Backward, each product comes twice, but not with respect to the photo.
  const double training = arithmetic_of(spec, 1, true).value();
  EXPECT_LT(training, 3 * once);
  EXPECT_GT(training, 2.8 * once);
}

TEST(PeakMemory, CountsFromTheBeginning) {
  constexpr std::size_t kMuch = std::size_t{64} << 20;
  const auto take = [] {
    Buffer buffer(kMuch);
    std::ranges::fill(buffer.floats(), 1.0F);
  };
  PeakMemory::begin();
  const std::int64_t before = PeakMemory::bytes();
  if (before == 0 || ::access("/proc/self/clear_refs", W_OK) != 0) GTEST_SKIP() << "needs a system that tells its peak memory";
  take();
  const std::int64_t with = PeakMemory::bytes();
  EXPECT_GE(with, before + static_cast<std::int64_t>(kMuch) / 2);
  PeakMemory::begin();
  EXPECT_LT(PeakMemory::bytes(), with - static_cast<std::int64_t>(kMuch) / 2);
}

}  // namespace
}  // namespace fovea::benchmark
