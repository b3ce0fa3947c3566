// SPDX-License-Identifier: Apache-2.0
#include "train/rejection.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/rng.h"

namespace fovea::training {
namespace {

constexpr std::int64_t kWidth = 96;

/// Rows around one of three directions, with noise of standard deviation `noise` in each number.
Table rows_around(int first_direction, std::uint32_t count, std::uint32_t purpose) {
  constexpr float kNoise = 0.2F;
  Table table{kWidth, {}};
  for (std::uint32_t n = 0; n < count; ++n) {
    Rng rng(3, 0, n, purpose);
    const auto label = static_cast<std::int32_t>(n % 3);
    for (std::int64_t i = 0; i < kWidth; ++i) table.values.push_back(kNoise * rng.normal());
    table.values[table.values.size() - kWidth + static_cast<std::size_t>(first_direction + label)] += 10;
  }
  return table;
}

std::vector<double> scores_without_energy(const Rejection& rejection, const Table& features) {
  const Table logits{1, std::vector<float>(static_cast<std::size_t>(features.rows()))};
  return rejection_scores(Context{}, rejection, features, logits);
}

TEST(Rejection, TellsOtherDirectionsFromThoseItLearned) {
  const Context context;
  const Table known = rows_around(0, 300, 1);
  const auto fitted = fit_rejection(context, known);
  ASSERT_TRUE(fitted);
  const auto own = scores_without_energy(*fitted, rows_around(0, 200, 2));
  const auto other = scores_without_energy(*fitted, rows_around(10, 200, 3));
  EXPECT_EQ(area_under_curve(own, other), 1);
  // What is left outside of the directions is 1 on average over the rows of the fit.
  double mean = 0;
  for (const double score : scores_without_energy(*fitted, known)) mean += score / 300;
  EXPECT_NEAR(mean, 1, 1e-4);
}

TEST(Rejection, DoesNotDependOnTheLengthOfFeatures) {
  const Context context;
  const Table known = rows_around(0, 300, 1);
  const auto fitted = fit_rejection(context, known);
  ASSERT_TRUE(fitted);
  const Table row = rows_around(0, 1, 5);
  Table longer = row;
  for (float& value : longer.values) value *= 16;
  EXPECT_EQ(rejection_score(*fitted, row.row(0), {}), rejection_score(*fitted, longer.row(0), {}));
  const std::vector<float> nothing(kWidth, 0.0F);
  EXPECT_TRUE(is_rejected(*fitted, nothing, {}));
}

TEST(Rejection, WrongRejectionsOfNewRowsStayAtTheStatedRate) {
  const Context context;
  const Table known = rows_around(0, 600, 1);
  std::vector<std::int32_t> folds;
  for (std::int32_t n = 0; n < 600; ++n) folds.push_back(n / 3 % 5);
  const auto scores = held_out_scores(context, known, folds);
  ASSERT_EQ(scores.size(), 600U);
  const auto threshold = threshold_for(scores, 0.05);
  ASSERT_TRUE(threshold);
  EXPECT_LE(share_above(scores, *threshold), 0.05);
  const auto fitted = fit_rejection(context, known);
  ASSERT_TRUE(fitted);
  const auto fresh = scores_without_energy(*fitted, rows_around(0, 2000, 2));
  // The rate of 2,000 rows by a quantile of 600: standard error sqrt(0.05 * 0.95 * (1 / 2000 + 1 / 600)) = 0.010. It may be
  // lower: statistics of all rows fit new ones better than those of four fifths did.
  EXPECT_LT(share_above(fresh, *threshold), 0.08);
  EXPECT_GT(share_above(fresh, *threshold), 0);
}

TEST(Rejection, EnergyIsMinusTheLogarithmOfTheSumOfExponentials) {
  EXPECT_NEAR(energy_of(std::vector<float>{0, 0, 0, 0}), -std::log(4.0), 1e-12);
  EXPECT_NEAR(energy_of(std::vector<float>{1000, 999}), -1000 - std::log(1 + std::exp(-1.0)), 1e-9);
  EXPECT_NEAR(energy_of(std::vector<float>{-1000, -1000}), 1000 - std::log(2.0), 1e-9);
}

TEST(Rejection, UnsureLogitsRaiseTheScoreByDeviationsOfTheKnown) {
  // Energies -5 and -3: mean -4, deviation sqrt(2).
  const auto energy = measure_energy({2, {5, -95, 3, -97}});
  ASSERT_TRUE(energy);
  EXPECT_NEAR(energy->mean, -4, 1e-6);
  EXPECT_NEAR(energy->deviation, std::sqrt(2.0), 1e-6);
  EXPECT_FALSE(measure_energy({2, {5, 4, 5, 4, 5, 4}}));

  const Context context;
  const Table known = rows_around(0, 300, 1);
  auto fitted = fit_rejection(context, known);
  ASSERT_TRUE(fitted);
  const double without = rejection_score(*fitted, known.row(0), {});
  fitted->energy = energy;
  EXPECT_NEAR(rejection_score(*fitted, known.row(0), std::vector<float>{4, -96}), without, 1e-6);
  EXPECT_NEAR(rejection_score(*fitted, known.row(0), std::vector<float>{0, -100}), without + 4 / std::sqrt(2.0), 1e-6);
  EXPECT_TRUE(is_rejected(*fitted, known.row(0), std::vector<float>{NAN, 0}));
}

TEST(Rejection, TooFewRowsGiveNothing) {
  const Context context;
  const Table few = rows_around(0, 12, 1);
  EXPECT_FALSE(fit_rejection(context, few));
  const Table alike{4, std::vector<float>(400, 1.0F)};
  EXPECT_FALSE(fit_rejection(context, alike));
}

TEST(Threshold, IsTheSmallestThatKeepsThePromise) {
  std::vector<double> scores;
  for (int i = 1; i <= 99; ++i) scores.push_back(i);
  EXPECT_EQ(threshold_for(scores, 0.05), 95);  // ceil(100 * 0.95)
  EXPECT_EQ(threshold_for(scores, 0.01), 99);
  EXPECT_FALSE(threshold_for(scores, 0.005));  // one in 200 cannot be told from 99
  EXPECT_FALSE(threshold_for({}, 0.5));
}

TEST(Threshold, NoneOfThesePartsThemBest) {
  const std::vector<double> known{1, 2, 3, 4, 5, 9};
  // 5 parts all but one of the known from the others; so does nothing higher without losing some of the others.
  EXPECT_EQ(threshold_between(known, std::vector<double>{6, 7, 8}, 4), 5);
  // When all of the others are far away, no known photo need be rejected.
  EXPECT_EQ(threshold_between(known, std::vector<double>{20, 30}, 4), 9);
  EXPECT_EQ(threshold_between(known, std::vector<double>{6, 7, 8}, 5.5), 5.5);
}

TEST(AreaUnderCurve, CountsPairsAndHalvesTies) {
  EXPECT_EQ(area_under_curve(std::vector<double>{1, 2}, std::vector<double>{3, 4}), 1);
  EXPECT_EQ(area_under_curve(std::vector<double>{1, 2}, std::vector<double>{1, 2}), 0.5);
  EXPECT_EQ(area_under_curve(std::vector<double>{1, 3}, std::vector<double>{2}), 0.5);
}

}  // namespace
}  // namespace fovea::training
