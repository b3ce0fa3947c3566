// SPDX-License-Identifier: Apache-2.0
#include "core/rng.h"

#include <gtest/gtest.h>

namespace fovea {
namespace {

// Known answers of the Random123 distribution for philox4x32-10.
TEST(Rng, PhiloxKnownAnswers) {
  EXPECT_EQ(philox({0, 0, 0, 0}, {0, 0}), (std::array<std::uint32_t, 4>{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(philox({~0U, ~0U, ~0U, ~0U}, {~0U, ~0U}),
            (std::array<std::uint32_t, 4>{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
}

TEST(Rng, StreamsDifferByEveryPartOfTheKey) {
  const std::uint32_t first = Rng(1, 2, 3, 4)();
  EXPECT_EQ(Rng(1, 2, 3, 4)(), first);
  EXPECT_NE(Rng(2, 2, 3, 4)(), first);
  EXPECT_NE(Rng(1, 3, 3, 4)(), first);
  EXPECT_NE(Rng(1, 2, 4, 4)(), first);
  EXPECT_NE(Rng(1, 2, 3, 5)(), first);
}

TEST(Rng, MomentsAreRight) {
  Rng rng(7);
  double sum = 0;
  double squares = 0;
  constexpr int kDraws = 100000;
  for (int i = 0; i < kDraws; ++i) {
    const double value = rng.normal();
    sum += value;
    squares += value * value;
  }
  // Six standard errors of the mean and of the variance.
  EXPECT_NEAR(sum / kDraws, 0, 6 / std::sqrt(kDraws));
  EXPECT_NEAR(squares / kDraws, 1, 6 * std::sqrt(2.0 / kDraws));
}

}  // namespace
}  // namespace fovea
