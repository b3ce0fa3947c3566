// SPDX-License-Identifier: Apache-2.0
#include "train/trial_score.h"

#include <gtest/gtest.h>

#include <cmath>

namespace fovea::training {
namespace {

TEST(TrialScore, HowSureLogitsSoundDoesNotCount) {
  const std::vector<std::int32_t> labels{0, 1, 1, 0};
  const Table logits{2, {2, 0, 0, 1, 1, 0, 1, 0}};
  Table louder = logits;
  for (float& z : louder.values) z *= 3;
  const TrialScore score = score_of_classes(logits, labels);
  ASSERT_EQ(score.losses.size(), 4U);
  EXPECT_EQ(score.accuracy, 0.75);
  EXPECT_GT(score.losses[2], score.losses[3]);
  EXPECT_NEAR(score.loss(), score_of_classes(louder, labels).loss(), 1e-4);
}

TEST(TrialScore, OnePhotoCannotDecideAlone) {
  const TrialScore score = score_of_classes({2, {400, 0, 400, 0, 400, 0}}, std::vector<std::int32_t>{0, 0, 1});
  for (const double loss : score.losses) EXPECT_LE(loss, -std::log(1e-12) + 1e-3);
}

TEST(TrialScore, LabelsOfASetCountTogether) {
  const std::vector<std::uint8_t> targets{1, 0, 1, 1, 0, 0};
  const TrialScore score = score_of_label_sets({2, {3, -3, 3, 3, -3, -3}}, targets);
  ASSERT_EQ(score.losses.size(), 3U);
  EXPECT_EQ(score.accuracy, 1);
  EXPECT_NEAR(score.losses[0], score.losses[1], 1e-9);
  EXPECT_LT(score.loss(), 0.1);
}

}  // namespace
}  // namespace fovea::training
