// SPDX-License-Identifier: Apache-2.0
#include "watch/schedule.h"

#include <gtest/gtest.h>

namespace fovea::watching {
namespace {

using namespace std::chrono;
using namespace std::chrono_literals;

constexpr sys_seconds kNoon{seconds(1'790'000'400)};  // a multiple of 600
static_assert(kNoon.time_since_epoch().count() % 600 == 0);

Moment at(milliseconds after_noon, milliseconds jumped = 0ms) { return {WallTime(kNoon) + after_noon + jumped, 1h + after_noon}; }

TEST(Schedule, TakesEachTimeOfTheGridOnceAndWaitsBetween) {
  Schedule schedule(600s, at(1s), std::nullopt);
  Schedule::Step step = schedule.step(at(1s));
  EXPECT_FALSE(step.due);
  EXPECT_EQ(step.wait, 10s);  // no longer, so that a clock that is set shows
  EXPECT_EQ(schedule.step(at(597s)).wait, 3s);
  step = schedule.step(at(600'050ms));
  EXPECT_EQ(step.due, kNoon + 600s);
  EXPECT_TRUE(step.gaps.empty());
  EXPECT_FALSE(schedule.step(at(601s)).due);
  EXPECT_EQ(schedule.step(at(1200s)).due, kNoon + 1200s);
}

TEST(Schedule, StartedOnTheGridTheFirstIsDueAtOnce) {
  Schedule schedule(600s, at(0s), std::nullopt);
  EXPECT_EQ(schedule.step(at(0s)).due, kNoon);
}

TEST(Schedule, TimesThatPassedUnusedAreAGap) {
  Schedule schedule(600s, at(1s), std::nullopt);
  const Schedule::Step step = schedule.step(at(1805s));
  EXPECT_EQ(step.due, kNoon + 1800s);
  ASSERT_EQ(step.gaps.size(), 1U);
  EXPECT_EQ(step.gaps[0].first, kNoon + 600s);
  EXPECT_EQ(step.gaps[0].last, kNoon + 1200s);
  EXPECT_EQ(step.gaps[0].slots, 2);
  EXPECT_FALSE(step.jump);
}

TEST(Schedule, WhatPassedBetweenTwoRunsIsAGap) {
  Schedule schedule(600s, at(1s), kNoon - 1800s);
  const Schedule::Step step = schedule.step(at(1s));
  EXPECT_FALSE(step.due);
  ASSERT_EQ(step.gaps.size(), 1U);
  EXPECT_EQ(step.gaps[0].first, kNoon - 1200s);
  EXPECT_EQ(step.gaps[0].last, kNoon);
  EXPECT_EQ(step.gaps[0].slots, 3);
  EXPECT_TRUE(schedule.step(at(2s)).gaps.empty());
}

TEST(Schedule, ATimeThatAnEarlierRunHasIsNotTakenAgain) {
  Schedule schedule(600s, at(0s), kNoon);
  EXPECT_FALSE(schedule.step(at(0s)).due);
  EXPECT_EQ(schedule.step(at(600s)).due, kNoon + 600s);
}

TEST(Schedule, AnEarlierRunsGridDoesNotMatter) {
  Schedule schedule(600s, at(1s), kNoon - 900s);  // that was every 5 minutes
  const Schedule::Step step = schedule.step(at(1s));
  ASSERT_EQ(step.gaps.size(), 1U);
  EXPECT_EQ(step.gaps[0].first, kNoon);
  EXPECT_EQ(step.gaps[0].slots, 1);
}

TEST(Schedule, AClockSetForwardSkipsTimesThatNeverWere) {
  Schedule schedule(600s, at(1s), std::nullopt);
  const Schedule::Step step = schedule.step(at(11s, 2h));
  ASSERT_TRUE(step.jump);
  EXPECT_EQ(step.jump->after - step.jump->before, 2h);
  EXPECT_TRUE(step.gaps.empty());
  EXPECT_FALSE(step.due);
  EXPECT_EQ(schedule.step(at(600s, 2h)).due, kNoon + 2h + 600s);
}

TEST(Schedule, WhatWasMissedBeforeTheClockWasSetForwardIsAGap) {
  Schedule schedule(600s, at(1s), std::nullopt);
  EXPECT_FALSE(schedule.step(at(590s)).due);
  const Schedule::Step step = schedule.step(at(700s, 2h));  // 110 s without a look
  ASSERT_EQ(step.gaps.size(), 1U);
  EXPECT_EQ(step.gaps[0].first, kNoon + 600s);
  EXPECT_EQ(step.gaps[0].slots, 1);
}

TEST(Schedule, ATimeInWhichTheClockIsSetForwardIsAGap) {
  Schedule schedule(600s, at(1s), std::nullopt);
  EXPECT_FALSE(schedule.step(at(590s)).due);
  const Schedule::Step step = schedule.step(at(600s, 1h + 4min));
  EXPECT_FALSE(step.due);
  ASSERT_EQ(step.gaps.size(), 1U);
  EXPECT_EQ(step.gaps[0].first, kNoon + 600s);
}

TEST(Schedule, ATimeThatMayHaveComeSinceTheLastLookIsTaken) {
  Schedule forward(600s, at(1s), std::nullopt);
  EXPECT_FALSE(forward.step(at(100s)).due);
  EXPECT_EQ(forward.step(at(110s, 493s)).due, kNoon + 600s);  // it is 3 s past: set before or over it
  Schedule back(600s, at(1s), std::nullopt);
  EXPECT_FALSE(back.step(at(100s)).due);
  EXPECT_EQ(back.step(at(110s, -3707s)).due, kNoon - 3600s);
}

TEST(Schedule, AClockSetBackALittleTakesNoTimeTwice) {
  Schedule schedule(600s, at(1s), std::nullopt);
  EXPECT_EQ(schedule.step(at(600s)).due, kNoon + 600s);
  EXPECT_TRUE(schedule.step(at(605s, -30s)).jump);
  EXPECT_FALSE(schedule.step(at(631s, -30s)).due);  // 600 s after noon once more
  EXPECT_EQ(schedule.step(at(1230s, -30s)).due, kNoon + 1200s);
}

TEST(Schedule, AClockSetFarBackIsFollowed) {
  Schedule schedule(600s, at(1s), std::nullopt);
  EXPECT_EQ(schedule.step(at(600s)).due, kNoon + 600s);
  EXPECT_FALSE(schedule.step(at(605s)).due);
  EXPECT_TRUE(schedule.step(at(615s, -24h)).jump);
  EXPECT_EQ(schedule.step(at(1200s, -24h)).due, kNoon + 1200s - 24h);
}

TEST(Schedule, ASlowClockIsNoJump) {
  Schedule schedule(600s, at(1s), std::nullopt);
  for (milliseconds passed = 0s; passed < 600s; passed += 10s) {
    EXPECT_FALSE(schedule.step(at(passed, passed / 100)).jump);  // 1 % fast
  }
}

TEST(Schedule, BeforeTheEpochTheGridIsTheSame) {
  Schedule schedule(600s, {WallTime(-601s), 0ms}, std::nullopt);
  EXPECT_FALSE(schedule.step({WallTime(-601s), 0ms}).due);
  EXPECT_EQ(schedule.step({WallTime(-600s), 1s}).due, sys_seconds(-600s));
}

}  // namespace
}  // namespace fovea::watching
