// SPDX-License-Identifier: Apache-2.0
#include "core/shape.h"

#include <gtest/gtest.h>

#include <vector>

namespace fovea {
namespace {

TEST(Shape, ElementsAndText) {
  EXPECT_EQ(Shape({2, 3, 4}).elements(), 24);
  EXPECT_EQ(Shape().elements(), 1);
  EXPECT_EQ(to_string(Shape({32, 112, 112, 16})), "32x112x112x16");
}

TEST(Shape, CheckedElementsRefusesOverflowAndNegatives) {
  using Extents = std::vector<std::int64_t>;
  EXPECT_EQ(checked_elements(Extents{2, 3}), 6);
  EXPECT_EQ(checked_elements(Extents{0, std::int64_t{1} << 62}), 0);
  EXPECT_EQ(checked_elements(Extents{-1}), std::nullopt);
  EXPECT_EQ(checked_elements(Extents{std::int64_t{1} << 31, std::int64_t{1} << 31}), std::nullopt);
}

}  // namespace
}  // namespace fovea
