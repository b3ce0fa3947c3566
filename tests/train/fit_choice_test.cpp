// SPDX-License-Identifier: Apache-2.0
#include "train/fit_choice.h"

#include <gtest/gtest.h>

#include <algorithm>

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

TEST(FitChoice, CropComesFirst) { EXPECT_EQ(fit_candidates({}, 100).front().fit, Fit::kCrop); }

TEST(FitChoice, ZoomIsTriedWhereManyPhotosTellItApart) {
  const Preprocess base;
  const auto zoomed = [&](std::int64_t photos) {
    return std::ranges::count_if(fit_candidates(base, photos),
                                 [&](const Preprocess& p) { return p.crop_fraction != base.crop_fraction; });
  };
  EXPECT_EQ(zoomed(100), 0);
  EXPECT_GT(zoomed(100'000), 0);
  EXPECT_EQ(describe_fit(base, base), name_of(base.fit));
  EXPECT_EQ(describe_fit(fit_candidates(base, 100'000).back(), base), "crop of 75 %");
}

}  // namespace
}  // namespace fovea::training
