// SPDX-License-Identifier: Apache-2.0
#include "train/metrics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace fovea::training {
namespace {

// Four photos, three classes: the last is wrong, with its label second.
const std::vector<float> kProbabilities{0.8F, 0.1F, 0.1F, 0.2F, 0.7F, 0.1F, 0.1F, 0.3F, 0.6F, 0.5F, 0.4F, 0.1F};
const std::vector<std::int32_t> kLabels{0, 1, 2, 1};
const std::vector<std::string> kNames{"a", "b", "c"};
const Predictions kPredictions{kProbabilities, kLabels};

TEST(Wilson, AgreesWithPublishedValues) {
  // Four digits of R. Newcombe, "Two-sided confidence intervals for the single proportion", Statistics in Medicine 1998, method
  // 3; and the closed form z^2 / (n + z^2) for no success.
  EXPECT_NEAR(wilson_interval(81, 263).low, 0.2553, 5e-5);
  EXPECT_NEAR(wilson_interval(81, 263).high, 0.3662, 5e-5);
  EXPECT_NEAR(wilson_interval(15, 148).low, 0.0624, 5e-5);
  EXPECT_NEAR(wilson_interval(15, 148).high, 0.1605, 5e-5);
  EXPECT_DOUBLE_EQ(wilson_interval(0, 20).low, 0);
  EXPECT_NEAR(wilson_interval(0, 20).high, 3.8414588 / 23.8414588, 1e-7);
  EXPECT_NEAR(wilson_interval(20, 20).low, 20 / 23.8414588, 1e-7);
}

TEST(Wilson, NoTrialsSayNothing) {
  EXPECT_EQ(wilson_interval(0, 0).low, 0);
  EXPECT_EQ(wilson_interval(0, 0).high, 1);
}

TEST(Metrics, CountsByHand) {
  const Evaluation e = evaluation_of(kPredictions, kNames, 2);
  EXPECT_EQ(e.photos, 4);
  EXPECT_DOUBLE_EQ(e.accuracy, 0.75);
  EXPECT_DOUBLE_EQ(e.top_accuracy, 1.0);
  EXPECT_EQ(e.confusion[1], (std::vector<std::int64_t>{1, 1, 0}));
  EXPECT_DOUBLE_EQ(e.classes[0].precision, 0.5);
  EXPECT_DOUBLE_EQ(e.classes[0].recall, 1.0);
  EXPECT_DOUBLE_EQ(e.classes[1].recall, 0.5);
  EXPECT_DOUBLE_EQ(e.classes[1].f1, 2.0 / 3);
  EXPECT_NEAR(e.macro_f1, (2.0 / 3 + 2.0 / 3 + 1) / 3, 1e-12);
  EXPECT_NEAR(e.log_loss, -(std::log(0.8) + std::log(0.7) + std::log(0.6) + std::log(0.4)) / 4, 1e-7);
}

TEST(Metrics, CalibrationErrorByHand) {
  // Bins of 1/15: 0.8, 0.7, 0.6 and 0.5 fall into different ones, so each photo is its own bin.
  EXPECT_NEAR(calibration_error(kPredictions), (0.2 + 0.3 + 0.4 + 0.5) / 4, 1e-6);
  EXPECT_NEAR(calibration_error(kPredictions, 1), std::abs(3 - 2.6) / 4, 1e-6);
}

TEST(Metrics, CoverageDropsTheLeastSureFirst) {
  const auto curve = coverage_curve(kPredictions);
  ASSERT_EQ(curve.size(), 10U);
  EXPECT_DOUBLE_EQ(curve.front().coverage, 1);
  EXPECT_DOUBLE_EQ(curve.front().accuracy, 0.75);
  EXPECT_FLOAT_EQ(static_cast<float>(curve.front().threshold), 0.5F);
  EXPECT_DOUBLE_EQ(curve[3].accuracy, 1);  // 70 % of 4 rounds to 3: the wrong one, the least sure, is left out
  EXPECT_DOUBLE_EQ(curve.back().coverage, 0.25);
}

TEST(Metrics, NoPhotosGiveNoNaN) {
  const Evaluation e = evaluation_of({}, kNames, 5);
  EXPECT_EQ(e.photos, 0);
  EXPECT_EQ(e.accuracy, 0);
  EXPECT_EQ(e.log_loss, 0);
  EXPECT_TRUE(e.coverage.empty());
}

TEST(Metrics, ACertainWrongAnswerCostsAFiniteLoss) {
  const std::vector<float> certain{1.0F, 0.0F};
  const std::vector<std::int32_t> label{1};
  EXPECT_NEAR(log_loss({certain, label}), 126 * std::log(2.0), 1e-9);
}

TEST(Softmax, OfLargeLogitsIsFinite) {
  std::vector<float> z{1000.0F, 1000.0F, -1000.0F};
  softmax_in_place(z);
  EXPECT_FLOAT_EQ(z[0], 0.5F);
  EXPECT_EQ(z[2], 0.0F);
}

}  // namespace
}  // namespace fovea::training
