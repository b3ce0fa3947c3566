// SPDX-License-Identifier: Apache-2.0
#include "train/balance.h"

#include <gtest/gtest.h>

#include <array>
#include <ostream>

namespace fovea::training {
namespace {

Dataset counted(std::initializer_list<int> counts) {
  Dataset data;
  int k = 0;
  for (const int count : counts) {
    data.classes.emplace_back(1, static_cast<char>('a' + k));
    for (int n = 0; n < count; ++n) data.train.push_back({"photo", {k}});
    ++k;
  }
  return data;
}

TEST(Balance, TheSkewIsThatOfTheClassesThatHavePhotos) {
  const Skew skew = skew_of(counted({30, 0, 4, 61}));
  EXPECT_EQ(skew.fewest, 4);
  EXPECT_EQ(skew.most, 61);
  EXPECT_EQ(skew.rarest, "c");
  EXPECT_EQ(skew.commonest, "d");
  EXPECT_TRUE(skew.strong());
  EXPECT_FALSE(skew_of(counted({50, 10})).strong());
  EXPECT_FALSE(skew_of(counted({})).strong());
}

TEST(Balance, AutoEvensOutWhatIsSkewedAndSaysSo) {
  const BalancePlan plan = plan_balance({}, counted({60, 10}));
  EXPECT_TRUE(plan.sampling);
  EXPECT_EQ(plan.head_weights, (std::vector<float>{70.0F / 120, 70.0F / 20}));
  EXPECT_TRUE(plan.tuning_weights.empty());
  ASSERT_TRUE(plan.choice);
  EXPECT_NE(plan.choice->reason.find("10 to 60"), std::string::npos) << plan.choice->reason;
}

TEST(Balance, AutoLeavesTheRestAlone) {
  const BalancePlan plan = plan_balance({}, counted({60, 30}));
  EXPECT_FALSE(plan.sampling);
  EXPECT_TRUE(plan.head_weights.empty());
  EXPECT_TRUE(plan.tuning_weights.empty());
  EXPECT_FALSE(plan.choice);
}

struct Asked {
  Balance balance;
  ClassWeights weights;
  bool sampling, head, tuning;
};

void PrintTo(const Asked& asked, std::ostream* out) {
  constexpr std::array<const char*, 3> kBalance{"auto", "off", "on"};
  constexpr std::array<const char*, 3> kWeights{"auto", "none", "balanced"};
  *out << "balance " << kBalance.at(static_cast<std::size_t>(asked.balance)) << ", class weights "
       << kWeights.at(static_cast<std::size_t>(asked.weights));
}

class BalanceFlags : public testing::TestWithParam<Asked> {};

TEST_P(BalanceFlags, ClassesCountTwiceNowhere) {
  const Asked& asked = GetParam();
  TrainOptions options;
  options.balance = asked.balance;
  options.class_weights = asked.weights;
  const BalancePlan plan = plan_balance(options, counted({60, 10}));
  EXPECT_EQ(plan.sampling, asked.sampling);
  EXPECT_EQ(!plan.head_weights.empty(), asked.head);
  EXPECT_EQ(!plan.tuning_weights.empty(), asked.tuning);
  EXPECT_FALSE(plan.sampling && !plan.tuning_weights.empty());
}

INSTANTIATE_TEST_SUITE_P(Flags, BalanceFlags,
                         testing::Values(Asked{Balance::kOff, ClassWeights::kAuto, false, false, false},
                                         Asked{Balance::kOff, ClassWeights::kBalanced, false, true, true},
                                         Asked{Balance::kAuto, ClassWeights::kBalanced, false, true, true},
                                         Asked{Balance::kAuto, ClassWeights::kNone, true, false, false},
                                         Asked{Balance::kOn, ClassWeights::kNone, true, false, false},
                                         Asked{Balance::kOn, ClassWeights::kBalanced, true, true, false}));

TEST(Balance, FiguresOfEqualClassesAreToldOfSkewedDataOnly) {
  LabelledTable logits;
  logits.table.width = 2;
  logits.table.values = {2, 1, 2, 1, 2, 1, 2, 1};  // always the common class
  logits.labels = {0, 0, 0, 1};
  TrainReport report;
  tell_balance(counted({20, 10}), logits, report);
  EXPECT_FALSE(report.balanced_accuracy);
  tell_balance(counted({60, 10}), logits, report);
  EXPECT_DOUBLE_EQ(report.balanced_accuracy.value(), 0.5);
  EXPECT_DOUBLE_EQ(report.macro_f1.value(), 0.5 * 6 / 7);
}

}  // namespace
}  // namespace fovea::training
