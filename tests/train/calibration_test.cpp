// SPDX-License-Identifier: Apache-2.0
#include "train/calibration.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>

#include "core/rng.h"

namespace fovea::training {
namespace {

TEST(Temperature, UndoesLogitsThatAreThreeTimesTooSure) {
  // Labels drawn from softmax(z); the table holds 3 z.
  Table table{4, {}};
  std::vector<std::int32_t> labels;
  for (std::uint32_t n = 0; n < 4000; ++n) {
    Rng rng(2, 0, n);
    std::array<double, 4> z{};
    double sum = 0;
    for (double& value : z) {
      value = 1.5 * rng.normal();
      table.values.push_back(static_cast<float>(3 * value));
      sum += std::exp(value);
    }
    double draw = rng.uniform() * sum;
    std::int32_t label = 0;
    while (label < 3 && (draw -= std::exp(z[static_cast<std::size_t>(label)])) > 0) ++label;
    labels.push_back(label);
  }
  // The standard error of the estimate over 4,000 photos is about 3 / sqrt(4000) = 0.05.
  EXPECT_NEAR(fit_temperature(table, labels), 3, 0.2);
}

TEST(Temperature, IsOneWithoutPhotosAndBoundedWhenAllIsRight) {
  EXPECT_EQ(fit_temperature({}, {}), 1);
  const Table table{2, {5.0F, 0.0F, 0.0F, 5.0F}};
  const std::vector<std::int32_t> labels{0, 1};
  EXPECT_NEAR(fit_temperature(table, labels), 1.0 / 8, 1e-3);
}

TEST(Confidence, GoesHalfWayToWhatPhotosWereWorthAndNeverFalls) {
  // 900 photos in three groups of equal sureness, of which 30, 60 and 90 % are right.
  std::vector<double> stated;
  std::vector<double> right;
  for (int n = 0; n < 900; ++n) {
    const int group = n / 300;
    stated.push_back(0.5 + 0.2 * group + 1e-4 * (n % 300));
    right.push_back(n % 10 < 3 + 3 * group ? 1.0 : 0.0);
  }
  const auto map = fit_confidence(stated, right);
  ASSERT_LE(map.size(), 64U);
  for (std::size_t k = 1; k < map.size(); ++k) {
    EXPECT_GT(map[k].stated, map[k - 1].stated);
    EXPECT_GE(map[k].actual, map[k - 1].actual);
  }
  // A knot stands for 14 or 15 photos of a period of 10; pooled neighbours even out what is left.
  for (int group = 0; group < 3; ++group) {
    EXPECT_NEAR(mapped(map, 0.515 + 0.2 * group), (0.515 + 0.2 * group + 0.3 + 0.3 * group) / 2, 0.05);
  }
}

TEST(Calibrated, ErrorFallsOnPhotosOfTheFitAndOnThoseLeftOut) {
  // Logits that are twice too sure, of labels drawn from what they would be.
  Table table{3, {}};
  std::vector<std::int32_t> labels;
  for (std::uint32_t n = 0; n < 600; ++n) {
    Rng rng(5, 0, n);
    std::array<double, 3> z{};
    double sum = 0;
    for (double& value : z) {
      value = 1.5 * rng.normal();
      table.values.push_back(static_cast<float>(2 * value));
      sum += std::exp(value);
    }
    double draw = rng.uniform() * sum;
    std::int32_t label = 0;
    while (label < 2 && (draw -= std::exp(z[static_cast<std::size_t>(label)])) > 0) ++label;
    labels.push_back(label);
  }
  const auto fitted = fit_calibration(table, labels, 0);
  EXPECT_EQ(fitted.report.photos, 600);
  EXPECT_LT(fitted.report.error, fitted.report.error_before);
  EXPECT_LT(fitted.report.error_cross_fitted, fitted.report.error_before);
  EXPECT_NE(fitted.report.error_cross_fitted, fitted.report.error);  // other fits, other figures
}

}  // namespace
}  // namespace fovea::training
