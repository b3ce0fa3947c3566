// SPDX-License-Identifier: Apache-2.0
#include "train/fit_choice.h"

#include <gtest/gtest.h>

namespace fovea::training {
namespace {

/// A trial on 100 photos whose losses have this mean, and a standard deviation of 1: a standard error of 0.1.
FitTrial trial(double loss) {
  FitTrial made;
  made.held_out = {.loss = loss, .accuracy = 0.5, .loss_variance = 1};
  made.features.labels.assign(100, 0);
  return made;
}

TEST(FitChoice, ALossWithinOneStandardErrorKeepsTheFirst) {
  const std::vector<FitTrial> trials{trial(0.95), trial(0.9), trial(1.2)};
  EXPECT_EQ(best_fit(trials), 0U);
}

TEST(FitChoice, AClearlySmallerLossWins) {
  const std::vector<FitTrial> trials{trial(1.05), trial(1.2), trial(0.9)};
  EXPECT_EQ(best_fit(trials), 2U);
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
