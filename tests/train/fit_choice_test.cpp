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

TEST(FitChoice, CropComesFirst) { EXPECT_EQ(fit_candidates({}).front().fit, Fit::kCrop); }

}  // namespace
}  // namespace fovea::training
