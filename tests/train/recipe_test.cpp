// SPDX-License-Identifier: Apache-2.0
#include "train/recipe.h"

#include <gtest/gtest.h>

#include <cmath>

namespace fovea::training {
namespace {

constexpr std::int64_t kManyPhotos = 100'000;

/// Losses alternate around their mean by `spread`; in step with every other score of the same sign.
TrialScore score(double mean, double spread, std::size_t photos = 100) {
  TrialScore made;
  for (std::size_t i = 0; i < photos; ++i) made.losses.push_back(mean + (i % 2 == 0 ? spread : -spread));
  return made;
}

TEST(Recipe, WhatIsAskedForIsNotTried) {
  TrainOptions options;
  const std::vector<TuningWay> all = tuning_ways(options, kManyPhotos);
  EXPECT_GT(all.size(), 1U);
  EXPECT_EQ(all.front().norm, NormMode::kFrozen);
  options.batchnorm = BatchNormMode::kLive;
  for (const TuningWay& way : tuning_ways(options, kManyPhotos)) EXPECT_EQ(way.norm, NormMode::kLive);
  options.lr = 3e-4;
  ASSERT_EQ(tuning_ways(options, kManyPhotos).size(), 1U);
  EXPECT_EQ(tuning_ways(options, kManyPhotos).front().rate, 3e-4);
  options.batchnorm = BatchNormMode::kAuto;
  EXPECT_EQ(tuning_ways(options, kManyPhotos).size(), 2U);  // frozen and live, each once
}

TEST(Recipe, AGentlerWayIsLeftUnlessTheRateWasAskedFor) {
  TrainOptions options;
  const std::vector<TuningWay> ways = tuning_ways(options, 1000);
  EXPECT_TRUE(trial_decides(options, ways));
  const auto gentler = gentler_way(options, ways.front());
  ASSERT_TRUE(gentler);
  EXPECT_LT(gentler->rate, ways.front().rate);
  EXPECT_EQ(gentler->norm, ways.front().norm);
  options.lr = 1e-3;
  EXPECT_FALSE(gentler_way(options, ways.front()));
  EXPECT_FALSE(trial_decides(options, tuning_ways(options, 1000)));
  EXPECT_FALSE(trial_decides({.pretrained = false}, tuning_ways({.pretrained = false}, 1000)));
}

TEST(Recipe, RandomWeightsAndBatchNormAsAskedFor) {
  TrainOptions options;
  options.pretrained = false;
  ASSERT_EQ(tuning_ways(options, kManyPhotos).size(), 1U);
  EXPECT_EQ(tuning_ways(options, kManyPhotos).front().norm, NormMode::kLive);
  options.batchnorm = BatchNormMode::kFrozen;
  ASSERT_EQ(tuning_ways(options, kManyPhotos).size(), 1U);
  EXPECT_EQ(tuning_ways(options, kManyPhotos).front().norm, NormMode::kFrozen);
}

TEST(Recipe, ADifferenceThatAllPhotosShareIsCertain) {
  const PairedDifference difference = paired_difference(score(0.5, 0.4), score(0.3, 0.4));
  EXPECT_NEAR(difference.mean, 0.2, 1e-12);
  EXPECT_NEAR(difference.standard_error, 0, 1e-12);
}

TEST(Recipe, TheStandardErrorOfADifferenceIsThatOfItsMean) {
  const PairedDifference difference = paired_difference(score(0.5, 0.4), score(0.3, -0.4));
  // Differences 1.0 and -0.6, half of them each: a deviation of 0.8.
  EXPECT_NEAR(difference.standard_error, 0.8 / std::sqrt(99.0), 1e-12);
}

TEST(Recipe, TheUsualWayYieldsOnlyToAClearGain) {
  // Opposite spreads of 0.4 over 100 photos: a standard error of 0.08.
  EXPECT_EQ(best_way(std::vector{score(0.60, 0.4), score(0.44, -0.4)}), 0U);
  EXPECT_EQ(best_way(std::vector{score(0.60, 0.4), score(0.34, -0.4)}), 1U);
  EXPECT_EQ(best_way(std::vector{score(0.30, 0.4), score(0.28, 0.4)}), 1U);
  EXPECT_EQ(best_way(std::vector{score(0.30, 0.4), score(0.29, 0.4), score(0.2, 0.4)}), 2U);
}

TEST(Recipe, TuningPaysUnlessItClearlyHarms) {
  EXPECT_TRUE(tuning_pays(score(0.30, 0.4), score(0.25, 0.4)));
  EXPECT_TRUE(tuning_pays(score(0.30, 0.4), score(0.32, -0.4)));
  EXPECT_FALSE(tuning_pays(score(0.30, 0.4), score(0.32, 0.4)));
}

TEST(Recipe, FewPhotosMakeMoreEpochs) {
  EXPECT_GT(plan_epochs(100, 4, true).epochs, plan_epochs(1000, 4, true).epochs);
  EXPECT_GT(plan_epochs(1000, 4, true).epochs, plan_epochs(50'000, 4, true).epochs);
  EXPECT_GE(plan_epochs(0, 0, true).epochs, 1);
  EXPECT_GE(plan_epochs(10'000'000, 4, true).epochs, 1);
}

TEST(Recipe, TheOftenerAPhotoComesBackTheMoreItIsVaried) {
  EXPECT_EQ(planned_augment_of({}, 2).level, AugmentLevel::kLight);
  EXPECT_EQ(planned_augment_of({}, 8).level, AugmentLevel::kStandard);
  EXPECT_EQ(planned_augment_of({}, 60).level, AugmentLevel::kStrong);
  TrainOptions options;
  options.augment = AugmentLevel::kNone;
  EXPECT_EQ(planned_augment_of(options, 60).level, AugmentLevel::kNone);
  options.mixup = 0.25;
  EXPECT_EQ(policy_of(options, AugmentLevel::kNone).mixup, 0.25F);
  EXPECT_LT(policy_of({}, AugmentLevel::kStrong).min_area, policy_of({}, AugmentLevel::kLight).min_area);
}

TEST(Recipe, LiveStatisticsAreTriedWhereThereAreManyPhotos) {
  EXPECT_EQ(tuning_ways({}, 1000).size(), 1U);
  EXPECT_EQ(tuning_ways({}, 100'000).size(), 2U);
  EXPECT_LE(trial_size(0), trial_size(20'000));
}

TEST(Recipe, TheRateThatWasAskedForCounts) {
  TrainOptions options;
  const TuningWay way{.rate = 2e-4};
  EXPECT_EQ(peak_rate(options, way), 2e-4);
  options.optimizer = OptimizerKind::kSgd;
  EXPECT_GT(peak_rate(options, way), 2e-4);
  options.lr = 0.1;
  EXPECT_EQ(peak_rate(options, way), 0.1);
}

}  // namespace
}  // namespace fovea::training
