// SPDX-License-Identifier: Apache-2.0
#include "train/batch_source.h"

#include <gtest/gtest.h>

#include <array>

namespace fovea::training {
namespace {

/// Nine rows, whose one value is their number; eight of class 0 and one of class 1.
CachedBatches nine_rows(const std::vector<Sample>& samples, const LoaderOptions& options) {
  LabelledTable table;
  table.table.width = 1;
  for (std::int32_t n = 0; n < 9; ++n) {
    table.table.values.push_back(static_cast<float>(n));
    table.index.push_back(n);
    table.labels.push_back(samples[static_cast<std::size_t>(n)].labels.front());
  }
  return {std::move(table), samples, options};
}

struct Seen {
  std::array<int, 9> times{};
  std::array<int, 2> of_class{};
  std::int64_t padding = 0;
  double weight = 0;
};

Seen epoch_of(CachedBatches& source, std::uint32_t epoch) {
  Seen seen;
  StepBatch batch;
  source.start_epoch(epoch, 0);
  while (source.next(batch).value()) {
    seen.padding += batch.rows - batch.count;
    for (std::size_t r = 0; r < static_cast<std::size_t>(batch.count); ++r) {
      const auto n = static_cast<std::size_t>(batch.input[r]);
      const std::size_t label = n == 8 ? 1 : 0;
      EXPECT_FLOAT_EQ(batch.targets[2 * r + label], 0.95F);
      EXPECT_FLOAT_EQ(batch.targets[2 * r + 1 - label], 0.05F);
      ++seen.times[n];
      ++seen.of_class[label];
      seen.weight += batch.weights[r];
    }
  }
  return seen;
}

class CachedBatchesTest : public testing::Test {
 protected:
  CachedBatchesTest() {
    for (int n = 0; n < 9; ++n) samples_.push_back({"photo", {n == 8 ? 1 : 0}});
    options_.batch = 4;
    options_.classes = 2;
    options_.label_smoothing = 0.1F;
    options_.order = LoaderOptions::Order::kShuffled;
  }
  std::vector<Sample> samples_;
  LoaderOptions options_;
};

TEST_F(CachedBatchesTest, ShuffledVisitsEveryRowOnce) {
  CachedBatches source = nine_rows(samples_, options_);
  EXPECT_EQ(source.batches_per_epoch(), 3);
  for (const std::uint32_t epoch : {1U, 2U}) {
    const Seen seen = epoch_of(source, epoch);
    for (const int times : seen.times) EXPECT_EQ(times, 1);
    EXPECT_EQ(seen.padding, 3);
    EXPECT_DOUBLE_EQ(seen.weight, 9);
  }
}

TEST_F(CachedBatchesTest, BalancedVisitsEveryClassAsOften) {
  options_.order = LoaderOptions::Order::kBalanced;
  CachedBatches source = nine_rows(samples_, options_);
  const Seen seen = epoch_of(source, 1);
  EXPECT_EQ(seen.of_class[0] + seen.of_class[1], 9);
  EXPECT_LE(std::abs(seen.of_class[0] - seen.of_class[1]), 1);
}

TEST_F(CachedBatchesTest, PartsTogetherAreTheBatches) {
  CachedBatches whole = nine_rows(samples_, options_);
  options_.parts = 2;
  CachedBatches lower = nine_rows(samples_, options_);
  options_.part = 1;
  CachedBatches upper = nine_rows(samples_, options_);
  StepBatch all;
  StepBatch low;
  StepBatch high;
  for (CachedBatches* source : {&whole, &lower, &upper}) source->start_epoch(1, 1);
  for (int batch = 1; batch < 3; ++batch) {
    ASSERT_TRUE(whole.next(all).value() && lower.next(low).value() && upper.next(high).value());
    EXPECT_EQ(low.rows, 2);
    EXPECT_EQ(low.first_row, 0);
    EXPECT_EQ(high.first_row, 2);
    EXPECT_EQ(low.count + high.count, all.count);
    EXPECT_EQ(low.whole, batch == 1);
    EXPECT_EQ(high.whole, batch == 1);
    for (std::size_t r = 0; r < 4; ++r) {
      const StepBatch& part = r < 2 ? low : high;
      EXPECT_EQ(part.input[r % 2], all.input[r]);
      EXPECT_EQ(part.weights[r % 2], all.weights[r]);
      EXPECT_EQ(part.targets[2 * (r % 2)], all.targets[2 * r]);
    }
  }
  EXPECT_FALSE(lower.next(low).value() || upper.next(high).value());
}

TEST_F(CachedBatchesTest, ClassWeightsAreTheWeightsOfRows) {
  options_.class_weights = {0.5F, 5};
  CachedBatches source = nine_rows(samples_, options_);
  EXPECT_DOUBLE_EQ(epoch_of(source, 1).weight, 8 * 0.5 + 5);
}

}  // namespace
}  // namespace fovea::training
