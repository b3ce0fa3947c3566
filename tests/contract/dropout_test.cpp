// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cmath>

#include "contract/case.h"
#include "core/dropout_mask.h"

namespace fovea::contract {
namespace {

Case of_shape(const Shape& shape, float rate, std::uint32_t stream) {
  return {fmt::format("Dropout_{}_rate{:g}_stream{}", to_string(shape), rate, stream),
          graph::Dropout{rate, stream},
          {{shape}},
          first_output};
}

std::vector<Case> tests() {
  return {of_shape({33}, 0.5F, 0),         of_shape({2, 17}, 0.2F, 1),    of_shape({5, 31}, 0.9F, 2),
          of_shape({2, 3, 3, 7}, 0.1F, 3), of_shape({1, 5, 5, 16}, 0, 4), of_shape({130, 9}, 0.3F, 5)};
}

std::vector<Case> speed() { return {of_shape({32, 1280}, 0.2F, 0)}; }

const Suite kSuite("dropout", tests, speed);

int kept(const DropoutMask& mask, int elements) {
  int count = 0;
  for (int i = 0; i < elements; ++i) count += mask.keeps(i) ? 1 : 0;
  return count;
}

TEST(dropout, ShareOfKeptElementsIsRight) {
  constexpr int kElements = 40000;
  for (const float rate : {0.1F, 0.5F, 0.9F}) {
    // Six standard deviations of a binomial count.
    const double p = 1 - static_cast<double>(rate);
    EXPECT_NEAR(kept(DropoutMask(1, 0, 0, rate), kElements), kElements * p, 6 * std::sqrt(kElements * p * (1 - p))) << rate;
  }
  EXPECT_EQ(kept(DropoutMask(1, 0, 0, 0), kElements), kElements);
  EXPECT_EQ(kept(DropoutMask(1, 0, 0, 1), kElements), 0);
}

TEST(dropout, MaskDependsOnSeedStepStreamAndElement) {
  constexpr int kElements = 4000;
  const DropoutMask first(1, 2, 3, 0.5F);
  const DropoutMask others[] = {{2, 2, 3, 0.5F}, {1, 3, 3, 0.5F}, {1, 2, 4, 0.5F}, {std::uint64_t{1} << 32 | 1, 2, 3, 0.5F}};
  for (const DropoutMask& other : others) {
    int differ = 0;
    for (int i = 0; i < kElements; ++i) differ += first.keeps(i) != other.keeps(i) ? 1 : 0;
    // Independent masks of rate 1/2 differ in half of the elements; six standard deviations.
    EXPECT_NEAR(differ, kElements / 2, 6 * std::sqrt(kElements / 4.0));
  }
}

TEST(dropout, BlocksAreTheElementsInOrder) {
  const DropoutMask mask(5, 1, 2, 0.5F);
  for (std::int64_t block : {std::int64_t{0}, std::int64_t{7}, std::int64_t{1} << 33}) {
    const auto four = mask.kept(block);
    for (std::int64_t lane = 0; lane < DropoutMask::kLanes; ++lane) {
      EXPECT_EQ(mask.keeps(DropoutMask::kLanes * block + lane), four[static_cast<std::size_t>(lane)]);
    }
  }
}

}  // namespace
}  // namespace fovea::contract
