// SPDX-License-Identifier: Apache-2.0
#include "train/fit_choice.h"

#include <gtest/gtest.h>

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

TEST(FitChoice, ALargerInputIsAMultipleOfTheStride) {
  EXPECT_EQ(with_larger_input({.height = 224, .width = 224}).width, 288);
  EXPECT_EQ(with_larger_input({.height = 64, .width = 96}).height, 96);
  EXPECT_EQ(with_larger_input({.height = 64, .width = 96}).width, 128);
}

}  // namespace
}  // namespace fovea::training
