// SPDX-License-Identifier: Apache-2.0
#include "core/parallel.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

namespace fovea {
namespace {

Context with_threads(int threads) {
  Context context;
  context.threads = threads;
  return context;
}

TEST(Parallel, EveryItemOnceForAnyCountAndThreads) {
  for (const int threads : {1, 2, 3, 8}) {
    for (const std::int64_t count : {0, 1, 2, 3, 7, 64, 129, 1000, 70'001}) {
      std::vector<std::atomic<int>> seen(static_cast<std::size_t>(count));
      parallel_for(with_threads(threads), count, [&](std::int64_t i) { ++seen[static_cast<std::size_t>(i)]; });
      for (const auto& times : seen) ASSERT_EQ(times, 1) << threads << " threads, " << count << " items";
    }
  }
}

// Scratch memory is dealt out by worker: two items at a time may never share one.
TEST(Parallel, AWorkerDoesOneItemAtATime) {
  constexpr int kThreads = 4;
  std::vector<std::atomic<int>> busy(kThreads);
  std::atomic<bool> shared{false};
  for (int loop = 0; loop < 200; ++loop) {
    parallel_for(with_threads(kThreads), 37, [&](std::int64_t, int worker) {
      if (++busy[static_cast<std::size_t>(worker)] != 1) shared = true;
      --busy[static_cast<std::size_t>(worker)];
    });
  }
  EXPECT_FALSE(shared);
}

// Loops follow each other as fast as they can: none takes items of another, or ends before its own are done.
TEST(Parallel, ManyShortLoops) {
  std::vector<std::int64_t> values(11, 0);
  constexpr std::int64_t kLoops = 20'000;
  for (std::int64_t loop = 0; loop < kLoops; ++loop) {
    parallel_for(with_threads(3), 11, [&](std::int64_t i) { ++values[static_cast<std::size_t>(i)]; });
  }
  for (const std::int64_t value : values) EXPECT_EQ(value, kLoops);
}

// The first item waits for all others, half of which are its own thread's: the helper has to take them.
TEST(Parallel, WhoIsDoneTakesWhatIsLeftOfOthers) {
  constexpr std::int64_t kCount = 16;
  std::atomic<std::int64_t> others{0};
  std::atomic<bool> gave_up{false};
  parallel_for(with_threads(2), kCount, [&](std::int64_t i) {
    if (i != 0) {
      ++others;
      return;
    }
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (others < kCount - 1 && !gave_up) {
      if (std::chrono::steady_clock::now() > until) gave_up = true;
      std::this_thread::yield();
    }
  });
  EXPECT_FALSE(gave_up);
}

TEST(Parallel, ALoopWithinALoopStaysOnItsThread) {
  std::atomic<bool> moved{false};
  std::atomic<int> inner{0};
  parallel_for(with_threads(4), 8, [&](std::int64_t) {
    const auto here = std::this_thread::get_id();
    parallel_for(with_threads(4), 5, [&](std::int64_t, int worker) {
      if (std::this_thread::get_id() != here || worker != 0) moved = true;
      ++inner;
    });
  });
  EXPECT_FALSE(moved);
  EXPECT_EQ(inner, 40);
}

TEST(Parallel, CallersAreIndependent) {
  std::atomic<std::int64_t> total{0};
  std::vector<std::thread> callers;
  for (int caller = 0; caller < 3; ++caller) {
    callers.emplace_back([&] {
      for (int loop = 0; loop < 300; ++loop) parallel_for(with_threads(2), 10, [&](std::int64_t i) { total += i; });
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(total, 3 * 300 * 45);
}

// After a pause helpers sleep: the next loop wakes them or does without.
TEST(Parallel, LoopsAfterAPause) {
  for (int loop = 0; loop < 5; ++loop) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    std::atomic<int> done{0};
    parallel_for(with_threads(3), 6, [&](std::int64_t) { ++done; });
    EXPECT_EQ(done, 6);
  }
}

}  // namespace
}  // namespace fovea
