// SPDX-License-Identifier: Apache-2.0
#include "estimate/advice.h"

#include <gtest/gtest.h>

namespace fovea::estimate {
namespace {

NetworkPlan network(double seconds, double accuracy, bool weights = true, std::int64_t memory = 100) {
  NetworkPlan plan;
  plan.whole.seconds = seconds;
  plan.published_accuracy = accuracy;
  plan.weights_here = weights;
  plan.memory = memory;
  return plan;
}

TEST(Advice, PicksTheMostAccurateOfThoseThatAreSoonDone) {
  std::vector<NetworkPlan> networks{network(100, 70), network(200, 75), network(9000, 81)};
  EXPECT_EQ(advise(networks, 1000), 1U);
  EXPECT_EQ(networks[0].advice, Advice::kWeaker);
  EXPECT_EQ(networks[1].advice, Advice::kPick);
  EXPECT_EQ(networks[2].advice, Advice::kBetter);
  EXPECT_EQ(advise(networks, 1000, 150), 0U);
  EXPECT_EQ(advise(networks, 1000, 10'000), 2U);
}

TEST(Advice, TheShortestIfAllTakeLong) {
  std::vector<NetworkPlan> networks{network(300, 81), network(200, 70)};
  EXPECT_EQ(advise(networks, 0, 100), 1U);
}

TEST(Advice, NothingWithoutWeightsOrMemory) {
  std::vector<NetworkPlan> networks{network(100, 78, false), network(200, 75), network(150, 80, true, 5000), network(300, 60)};
  EXPECT_EQ(advise(networks, 1000), 1U);
  EXPECT_EQ(networks[0].advice, Advice::kWorthTrying);
  EXPECT_EQ(networks[2].advice, Advice::kTooLarge);
  EXPECT_EQ(networks[3].advice, Advice::kPointless);
  std::vector<NetworkPlan> none{network(100, 78, false)};
  EXPECT_EQ(advise(none, 1000), std::nullopt);
  EXPECT_EQ(none[0].advice, Advice::kNone);
}

TEST(Advice, WhatWasNotMeasuredIsNeverPicked) {
  std::vector<NetworkPlan> networks{network(0, 90), network(200, 75)};
  networks[0].not_measured = "no kernel";
  EXPECT_EQ(advise(networks, 0), 1U);
  EXPECT_EQ(networks[0].advice, Advice::kNone);
}

}  // namespace
}  // namespace fovea::estimate
