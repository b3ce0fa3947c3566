// SPDX-License-Identifier: Apache-2.0
#include "fovea/figures.h"

#include <gtest/gtest.h>

namespace fovea {
namespace {

TEST(Figures, CountsAgreeWithTheirNoun) {
  EXPECT_EQ(counted(0, "photo"), "0 photos");
  EXPECT_EQ(counted(1, "photo"), "1 photo");
  EXPECT_EQ(counted(2, "class"), "2 classes");
  EXPECT_EQ(counted(999, "photo"), "999 photos");
  EXPECT_EQ(counted(1234567, "photo"), "1,234,567 photos");
}

TEST(Figures, DurationsAreAsExactAsAPersonWantsThem) {
  EXPECT_EQ(duration(0.44), "0.4 s");
  EXPECT_EQ(duration(9.96), "10 s");
  EXPECT_EQ(duration(59.7), "1 min 0 s");
  EXPECT_EQ(duration(200), "3 min 20 s");
  EXPECT_EQ(duration(7500), "2 h 5 min");
}

TEST(Figures, SharesArePercent) { EXPECT_EQ(percent(0.9777), "97.8 %"); }

}  // namespace
}  // namespace fovea
