// SPDX-License-Identifier: Apache-2.0
#include "model/probabilities.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

namespace fovea {
namespace {

TEST(Probabilities, AMapMovesTheLargestAndKeepsOrderAndSum) {
  const std::vector<float> logits{0.2F, 1.5F, -0.3F, 0.9F};
  const auto plain = probabilities_of(logits, {});
  for (const double actual : {0.0, 0.1, 0.3, 0.6, 1.0}) {
    const auto moved = probabilities_of(logits, {1.0, {{plain[1], actual}}});
    EXPECT_NEAR(std::accumulate(moved.begin(), moved.end(), 0.0), 1, 1e-12);
    EXPECT_NEAR(moved[1], std::max(actual, 0.25), 1e-12);  // never below equal shares
    EXPECT_GE(moved[1], moved[3]);
    EXPECT_GE(moved[3], moved[0]);
    EXPECT_GE(moved[0], moved[2]);
  }
}

TEST(Probabilities, TheMapIsStraightBetweenKnotsAndFlatOutside) {
  const std::vector<Calibration::Knot> map{{0.4, 0.2}, {0.8, 0.6}};
  EXPECT_DOUBLE_EQ(mapped(map, 0.1), 0.2);
  EXPECT_DOUBLE_EQ(mapped(map, 0.5), 0.3);
  EXPECT_DOUBLE_EQ(mapped(map, 0.9), 0.6);
  EXPECT_DOUBLE_EQ(mapped({}, 0.9), 0.9);
}

}  // namespace
}  // namespace fovea
