// SPDX-License-Identifier: Apache-2.0
#include "benchmark/sort_numbers.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace fovea::benchmark {
namespace {

class Threads : public testing::TestWithParam<int> {
 protected:
  void SetUp() override { context.threads = GetParam(); }
  Context context;
};

TEST_P(Threads, SortAsStdSortDoes) {
  for (const std::size_t count : {0U, 1U, 2U, 15U, 16U, 17U, 255U, 4097U, 100'003U}) {
    std::vector<std::uint32_t> numbers(count);
    std::vector<std::uint32_t> scratch(count);
    fill_random(context, 7, numbers);
    std::vector<std::uint32_t> expected = numbers;
    std::ranges::sort(expected);
    sort_numbers(context, numbers, scratch);
    EXPECT_EQ(numbers, expected) << count;
  }
}

/// Buckets by the highest byte are then empty, or one has it all.
TEST_P(Threads, SortNumbersThatAreNotSpreadEvenly) {
  std::vector<std::uint32_t> small(10'000);
  fill_random(context, 3, small);
  for (std::uint32_t& number : small) number %= 1000;
  std::vector<std::uint32_t> extremes(5000, 0xFFFFFFFF);
  std::fill_n(extremes.begin() + 1000, 2000, 0U);
  std::vector<std::uint32_t> falling(70'000);
  for (std::size_t i = 0; i < falling.size(); ++i) falling[i] = static_cast<std::uint32_t>((falling.size() - i) * 60'000);
  for (std::vector<std::uint32_t>* numbers : {&small, &extremes, &falling}) {
    std::vector<std::uint32_t> expected = *numbers;
    std::ranges::sort(expected);
    std::vector<std::uint32_t> scratch(numbers->size());
    sort_numbers(context, *numbers, scratch);
    EXPECT_EQ(*numbers, expected);
  }
}

TEST_P(Threads, TheSameNumbersWhateverTheThreads) {
  std::vector<std::uint32_t> numbers(50'001);
  std::vector<std::uint32_t> alone(50'001);
  fill_random(context, 1, numbers);
  fill_random({}, 1, alone);
  EXPECT_EQ(numbers, alone);
  EXPECT_EQ(sums_of(context, numbers), sums_of({}, alone));
}

TEST_P(Threads, ChecksNoticeWhatIsWrong) {
  std::vector<std::uint32_t> numbers(10'000);
  for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = static_cast<std::uint32_t>(3 * i);
  EXPECT_TRUE(is_ascending(context, numbers));
  const Sums right = sums_of(context, numbers);
  for (std::size_t i = 1; i < numbers.size(); i += 37) {  // also at the seams between threads
    std::swap(numbers[i - 1], numbers[i]);
    EXPECT_FALSE(is_ascending(context, numbers)) << i;
    EXPECT_EQ(sums_of(context, numbers), right);
    std::swap(numbers[i - 1], numbers[i]);
  }
  numbers[17] += 1;
  numbers[18] -= 1;  // the sum is as it was
  EXPECT_NE(sums_of(context, numbers), right);
}

INSTANTIATE_TEST_SUITE_P(Counts, Threads, testing::Values(1, 2, 3, 7));

TEST(FillRandom, IsSpreadOverAllNumbers) {
  std::vector<std::uint32_t> numbers(1 << 16);
  fill_random({}, 5, numbers);
  std::vector<int> buckets(256);
  for (const std::uint32_t number : numbers) ++buckets[number >> 24];
  // 256 on average with a deviation of 16: 6 of them in 256 draws come once in two million tests.
  EXPECT_GT(*std::ranges::min_element(buckets), 256 - 96);
  EXPECT_LT(*std::ranges::max_element(buckets), 256 + 96);
}

}  // namespace
}  // namespace fovea::benchmark
