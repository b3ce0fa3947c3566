// SPDX-License-Identifier: Apache-2.0
#include "train/schedule.h"

#include <gtest/gtest.h>

namespace fovea::training {
namespace {

TEST(Schedule, WarmsUpPeaksAndComesDown) {
  const Schedule schedule{.peak = 2.0, .steps = 11, .warmup = 4, .floor = 0.01};
  EXPECT_DOUBLE_EQ(schedule.rate(0), 0.5);
  EXPECT_DOUBLE_EQ(schedule.rate(3), 2.0);
  EXPECT_DOUBLE_EQ(schedule.rate(4), 2.0);
  EXPECT_DOUBLE_EQ(schedule.rate(7), 2.0 * (0.01 + 0.99 * 0.5));  // half of the way from step 4 to 10
  EXPECT_DOUBLE_EQ(schedule.rate(10), 0.02);
  EXPECT_DOUBLE_EQ(schedule.rate(1000), 0.02);
}

TEST(Schedule, OneStepIsAtThePeak) {
  const Schedule schedule{.peak = 1.0, .steps = 1};
  EXPECT_DOUBLE_EQ(schedule.rate(0), 1.0);
}

}  // namespace
}  // namespace fovea::training
