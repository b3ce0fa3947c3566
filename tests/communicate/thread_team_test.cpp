// SPDX-License-Identifier: Apache-2.0
#include "communicate/thread_team.h"

#include <gtest/gtest.h>

#include <functional>
#include <thread>

namespace fovea {
namespace {

/// Runs `body` for each member in a thread of its own.
void together(int size, const std::function<void(Communicator&)>& body) {
  const auto team = make_thread_team(size);
  std::vector<std::thread> threads;
  for (const auto& member : team) threads.emplace_back([&body, &member] { body(*member); });
  for (std::thread& thread : threads) thread.join();
}

TEST(ThreadTeam, SumsAreThoseOfAllAndTheSameForAll) {
  for (const int size : {1, 2, 3, 5}) {
    for (const std::size_t count : {std::size_t{1}, std::size_t{4}, std::size_t{1001}}) {
      std::vector<std::vector<float>> results(static_cast<std::size_t>(size));
      together(size, [&](Communicator& member) {
        EXPECT_EQ(member.size(), size);
        std::vector<float>& values = results[static_cast<std::size_t>(member.rank())];
        // Three times, so that a meeting is not mistaken for the one before.
        for (int round = 1; round <= 3; ++round) {
          values.assign(count, 0);
          for (std::size_t i = 0; i < count; ++i)
            values[i] = static_cast<float>(round * (member.rank() + 1)) + static_cast<float>(i);
          EXPECT_TRUE(member.all_reduce_sum(values).ok());
        }
      });
      const auto n = static_cast<float>(size);
      for (const auto& values : results) {
        for (std::size_t i = 0; i < count; ++i) EXPECT_EQ(values[i], 3 * n * (n + 1) / 2 + n * static_cast<float>(i));
      }
    }
  }
}

TEST(ThreadTeam, EverybodyHasTheValuesOfTheFirst) {
  together(3, [](Communicator& member) {
    std::vector<float> values(7, static_cast<float>(member.rank() + 5));
    EXPECT_TRUE(member.broadcast(values).ok());
    for (const float value : values) EXPECT_EQ(value, 5);
  });
}

TEST(ThreadTeam, WhoLeavesDoesNotLeaveTheOthersWaiting) {
  together(3, [](Communicator& member) {
    std::vector<float> values(7, 1);
    EXPECT_TRUE(member.all_reduce_sum(values).ok());
    if (member.rank() == 1) return member.leave();
    const auto summed = member.all_reduce_sum(values);
    ASSERT_FALSE(summed.ok());
    EXPECT_EQ(summed.error().kind, Error::Kind::kCancelled);
    EXPECT_FALSE(member.broadcast(values).ok());
  });
}

}  // namespace
}  // namespace fovea
