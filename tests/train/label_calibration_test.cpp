// SPDX-License-Identifier: Apache-2.0
#include "train/label_calibration.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/rng.h"

namespace fovea::training {
namespace {

struct Drawn {
  Table logits{2, {}};
  std::vector<std::uint8_t> targets;
  std::vector<std::int32_t> folds;
};

/// Labels that come true as often as sigmoid(z) says, and logits that state three times z.
Drawn overconfident() {
  Drawn drawn;
  Rng rng(3);
  for (int i = 0; i < 4000; ++i) {
    const float z = 2 * rng.normal();
    drawn.targets.push_back(rng.chance(1 / (1 + std::exp(-z))) ? 1 : 0);
    drawn.logits.values.push_back(3 * z);
  }
  for (int n = 0; n < 2000; ++n) drawn.folds.push_back(n % 5);
  return drawn;
}

TEST(LabelCalibration, TheTemperatureUndoesOverconfidence) {
  const Drawn drawn = overconfident();
  // The slope of a logistic regression on n = 4000 draws errs by 1 / sqrt(n E[z^2 p (1 - p)]), about 0.03; three of these.
  EXPECT_NEAR(fit_temperature(drawn.logits, drawn.targets) / 3, 1, 0.09);
}

TEST(LabelCalibration, TheReportTellsWhatItIsWorthOnPhotosLeftOut) {
  const Drawn drawn = overconfident();
  const CalibrationReport report = fit_label_calibration(drawn.logits, drawn.targets, drawn.folds);
  EXPECT_EQ(report.photos, 2000);
  EXPECT_FALSE(report.mapped);
  EXPECT_EQ(report.temperature, fit_temperature(drawn.logits, drawn.targets));
  // What chance alone leaves: 15 bins, each off by about sqrt(p (1 - p) n_b) of n = 4000, at most sqrt(15 / n) / 2 together.
  const double chance = std::sqrt(15.0 / 4000) / 2;
  EXPECT_GT(report.error_before, 2 * chance);
  EXPECT_LT(report.error, chance);
  EXPECT_LT(report.error_cross_fitted, chance);
  EXPECT_NE(report.error_cross_fitted, report.error);
}

TEST(LabelCalibration, TheErrorIsTheGapInEachBin) {
  const std::vector<float> probabilities{0.9F, 0.9F, 0.1F, 0.1F};
  const std::vector<std::uint8_t> targets{1, 0, 0, 0};
  // Bin of 0.9: half came true, 0.4 too much stated; bin of 0.1: none did, 0.1 too much. Each has half of the answers.
  EXPECT_NEAR(calibration_error({probabilities, targets, 2}), (0.4 + 0.1) / 2, 1e-7);
}

TEST(LabelCalibration, NothingToFitLeavesTheLogitsAlone) {
  EXPECT_EQ(fit_temperature(Table{3, {}}, std::vector<std::uint8_t>{}), 1);
  EXPECT_EQ(calibration_error({{}, {}, 3}), 0);
}

}  // namespace
}  // namespace fovea::training
