// SPDX-License-Identifier: Apache-2.0
#include "annotate/smoothing.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace fovea::annotation {
namespace {

TEST(Smoother, BeginsWithWhatComes) {
  Smoother smoother(2);
  const auto first = smoother.add(5, std::vector<double>{0.25, 0.75});
  EXPECT_EQ(first[0], 0.25);
  EXPECT_EQ(first[1], 0.75);
}

TEST(Smoother, AStepReachesItsShareAfterOneTimeConstant) {
  Smoother smoother(2);
  smoother.add(0, std::vector<double>{0.0});
  EXPECT_NEAR(smoother.add(2, std::vector<double>{1.0})[0], 1 - std::exp(-1), 1e-12);
}

TEST(Smoother, DoesNotDependOnHowOftenItIsFed) {
  Smoother coarse(1.5);
  Smoother fine(1.5);
  coarse.add(0, std::vector<double>{0.0});
  fine.add(0, std::vector<double>{0.0});
  const double once = coarse.add(3, std::vector<double>{1.0})[0];
  double often = 0;
  for (int i = 1; i <= 30; ++i) often = fine.add(0.1 * i, std::vector<double>{1.0})[0];
  EXPECT_NEAR(once, often, 1e-12);
}

TEST(Smoother, KeepsTheSum) {
  Smoother smoother(0.7);
  smoother.add(0, std::vector<double>{0.1, 0.9});
  const auto values = smoother.add(0.3, std::vector<double>{0.8, 0.2});
  EXPECT_NEAR(values[0] + values[1], 1, 1e-12);
}

TEST(Smoother, WithoutATimeConstantGivesBackWhatCame) {
  Smoother smoother(0);
  smoother.add(0, std::vector<double>{0.1});
  EXPECT_EQ(smoother.add(0, std::vector<double>{0.8})[0], 0.8);
}

}  // namespace
}  // namespace fovea::annotation
