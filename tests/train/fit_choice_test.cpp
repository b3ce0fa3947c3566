// SPDX-License-Identifier: Apache-2.0
#include "train/fit_choice.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "train/row_targets.h"

namespace fovea::training {
namespace {

/// A trial on 100 photos whose losses have this mean and, `against` each other, a standard deviation of 1: paired, a standard
/// error of 0.2; in step with each other one of 0.
FitTrial trial(double loss, bool against = false) {
  FitTrial made;
  for (int n = 0; n < 100; ++n) made.held_out.losses.push_back(loss + ((n % 2 == 0) != against ? 1 : -1));
  return made;
}

TEST(FitChoice, WhatMayBeChanceKeepsTheFirst) { EXPECT_EQ(best_fit(std::vector{trial(1.95), trial(1.5, true), trial(2.2)}), 0U); }

TEST(FitChoice, ABeyondDoubtSmallerLossWins) {
  EXPECT_EQ(best_fit(std::vector{trial(1.95), trial(2.2), trial(1.9)}), 2U);
  EXPECT_EQ(best_fit(std::vector{trial(1.95), trial(1.2, true)}), 1U);
}

TEST(FitChoice, TheUsualCropComesFirst) {
  const auto candidates = fit_candidates({}, {});
  EXPECT_EQ(candidates.size(), 5U);
  EXPECT_EQ(candidates.front(), (Preprocess{.fit = Fit::kCrop, .crop_fraction = 0.875F}));
}

TEST(FitChoice, WhatIsAskedForIsNotChosen) {
  const auto squash = fit_candidates({.fit = FitChoice::kSquash}, {});
  ASSERT_EQ(squash.size(), 1U);
  EXPECT_EQ(squash.front().fit, Fit::kSquash);
  const auto zoomed = fit_candidates({.fit = FitChoice::kCrop, .zoom = 2}, {});
  ASSERT_EQ(zoomed.size(), 1U);
  EXPECT_EQ(zoomed.front().crop_fraction, 0.5F);
  EXPECT_EQ(fit_candidates({.fit = FitChoice::kCrop}, {}).size(), 3U);
}

std::vector<Sample> samples_of(int classes, int each) {
  std::vector<Sample> samples;
  for (int n = 0; n < classes * each; ++n) {
    samples.emplace_back();
    samples.back().labels = {n % classes};
  }
  return samples;
}

TEST(FitChoice, PhotosOfEveryClassAreTried) {
  const std::vector<Sample> samples = samples_of(3, 200);
  const auto chosen = fit_trial_photos(samples, 3, 160, 7);
  EXPECT_NEAR(static_cast<double>(chosen.size()), 160, 3);
  EXPECT_TRUE(std::ranges::is_sorted(chosen));
  std::map<int, int> photos;
  for (const std::int32_t position : chosen) ++photos[samples[static_cast<std::size_t>(position)].labels.front()];
  for (const auto& [label, count] : photos) EXPECT_EQ(count, 53) << label;
  EXPECT_NE(chosen, fit_trial_photos(samples, 3, 160, 8));
}

TEST(FitChoice, OfVeryManyClassesSomeAreTried) {
  const std::vector<Sample> samples = samples_of(1000, 6);
  const auto chosen = fit_trial_photos(samples, 1000, 400, 7);
  std::map<int, int> photos;
  for (const std::int32_t position : chosen) ++photos[samples[static_cast<std::size_t>(position)].labels.front()];
  EXPECT_EQ(photos.size(), 200U);
  EXPECT_GT(photos.rbegin()->first, 800);  // not the first in the alphabet
  for (const auto& [label, count] : photos) EXPECT_EQ(count, 4) << label;
}

TEST(RowTargets, AbsentClassesAreLeftOut) {
  const RowTargets one = without_absent_classes({5, {4, 1, 4}, {}});
  EXPECT_EQ(one.classes, 2);
  EXPECT_EQ(one.labels, (std::vector<std::int32_t>{1, 0, 1}));
  // A photo of labels 0 and 3 whose home is 3, one without any label, one of label 3.
  const RowTargets sets = without_absent_classes({4, {3, 4, 3}, {1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1}});
  EXPECT_EQ(sets.classes, 2);
  EXPECT_EQ(sets.labels, (std::vector<std::int32_t>{1, 2, 1}));
  EXPECT_EQ(sets.targets, (std::vector<std::uint8_t>{1, 1, 0, 0, 0, 1}));
}

TEST(FitChoice, ALargerInputIsAMultipleOfTheStride) {
  EXPECT_EQ(with_larger_input({.height = 224, .width = 224}).width, 288);
  EXPECT_EQ(with_larger_input({.height = 64, .width = 96}).height, 96);
  EXPECT_EQ(with_larger_input({.height = 64, .width = 96}).width, 128);
}

}  // namespace
}  // namespace fovea::training
