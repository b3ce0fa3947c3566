// SPDX-License-Identifier: Apache-2.0
#include "train/trial.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "core/rng.h"
#include "data/photos.h"
#include "runtime/device.h"
#include "train/look_alikes.h"
#include "train/run_setup.h"
#include "train/tiny_data.h"

namespace fovea::training {
namespace {

std::vector<std::int32_t> counting(std::size_t n) {
  std::vector<std::int32_t> numbers(n);
  for (std::size_t i = 0; i < n; ++i) numbers[i] = static_cast<std::int32_t>(i);
  return numbers;
}

/// Rows of `series` directions per class, which lie far apart; each row a little off its direction.
struct Series {
  std::vector<float> features;
  std::vector<std::int32_t> labels;
  std::vector<std::int32_t> series;
  static constexpr std::int64_t kWidth = 24;
  Series(std::size_t rows, std::int32_t classes, std::int32_t per_class) {
    Rng rng(5);
    for (std::size_t n = 0; n < rows; ++n) {
      const auto number = static_cast<std::int32_t>(n) % (classes * per_class);
      series.push_back(number);
      labels.push_back(number / per_class);
      for (std::int64_t i = 0; i < kWidth; ++i) {
        features.push_back((i == number % kWidth ? 1.0F : 0.0F) + rng.uniform(0.0F, 0.05F));
      }
    }
  }
  [[nodiscard]] FeatureSet set(std::int64_t classes) const { return {features, labels, kWidth, classes}; }
};

TEST(LookAlikes, ASeriesIsAGroup) {
  const Series rows(300, 4, 6);
  const auto groups = group_look_alikes(Context{}, rows.set(4), {}, 300, 6);
  std::map<std::int32_t, std::set<std::int32_t>> groups_of;
  std::set<std::int32_t> all;
  for (std::size_t n = 0; n < groups.size(); ++n) {
    groups_of[rows.series[n]].insert(groups[n]);
    all.insert(groups[n]);
  }
  for (const auto& [series, numbers] : groups_of) EXPECT_EQ(numbers.size(), 1U) << "series " << series;
  EXPECT_EQ(all.size(), 24U);
}

TEST(LookAlikes, CopiesStayTogetherAndThreadsDoNotMatter) {
  const Series rows(100, 2, 6);
  std::vector<std::int32_t> copies = counting(100);
  copies[70] = copies[3] = 1;  // as row 1
  Context one;
  one.threads = 1;
  Context three;
  three.threads = 3;
  const auto groups = group_look_alikes(one, rows.set(2), copies, 100, 4);
  EXPECT_EQ(groups[70], groups[1]);
  EXPECT_EQ(groups[3], groups[1]);
  EXPECT_EQ(group_look_alikes(three, rows.set(2), copies, 100, 4), groups);
}

TEST(TrialPhotosChoice, HoldsOutAThirdAndDividesNoSeries) {
  const Series rows(120, 4, 6);  // of five photos
  const TrialPhotos photos = choose_trial_photos(Context{}, rows.set(4), {}, counting(120), 10'000, 1);
  ASSERT_EQ(photos.positions.size(), 120U);
  EXPECT_EQ(std::ranges::count(photos.held_out, true), 40);
  std::map<std::int32_t, std::set<bool>> sides;
  for (std::size_t i = 0; i < photos.positions.size(); ++i) {
    sides[rows.series[static_cast<std::size_t>(photos.positions[i])]].insert(photos.held_out[i]);
  }
  for (const auto& [series, side] : sides) EXPECT_EQ(side.size(), 1U) << "series " << series;
}

TEST(TrialPhotosChoice, OfManyTakesPartOfEveryClassInOrder) {
  const Series rows(5000, 4, 6);
  const TrialPhotos photos = choose_trial_photos(Context{}, rows.set(4), {}, counting(5000), 900, 1);
  EXPECT_GT(photos.positions.size(), 700U);
  EXPECT_LE(photos.positions.size(), 900U);
  EXPECT_TRUE(std::ranges::is_sorted(photos.positions));
  std::set<std::int32_t> classes;
  for (std::size_t i = 0; i < photos.positions.size(); ++i) {
    if (photos.held_out[i]) classes.insert(rows.labels[static_cast<std::size_t>(photos.positions[i])]);
  }
  EXPECT_EQ(classes.size(), 4U);
}

TEST(TrialPhotosChoice, TooFewTellNothing) {
  const Series rows(20, 2, 6);
  EXPECT_TRUE(choose_trial_photos(Context{}, rows.set(2), {}, counting(20), 900, 1).positions.empty());
}

class Trial : public testing::Test {
 protected:
  void SetUp() override {
    test::write_tiny_data(folder_ / "data", 16, 0);
    test::write_tiny_weights(folder_ / "weights.safetensors");
    options_ = test::tiny_options(folder_);
    auto data = scan_dataset(folder_ / "data");
    ASSERT_TRUE(data.ok());
    data_ = std::move(*data);
    auto device = open_device("cpu");
    ASSERT_TRUE(device.ok());
    device_ = std::move(*device);
    auto model = make_model(options_, data_.classes);
    ASSERT_TRUE(model.ok()) << model.error().message;
    model_ = std::move(*model);
    context_.threads = 1;
    photos_.positions = counting(data_.train.size());
    for (std::size_t n = 0; n < data_.train.size(); ++n) photos_.held_out.push_back(n % 3 == 0);
  }
  [[nodiscard]] TrialSetting setting() const {
    TrialSetting made{*device_.backend, options_, model_, data_.train, photos_, 1e-3, 2, {}, {}};
    made.loading.order = LoaderOptions::Order::kShuffled;
    made.loading.classes = 3;
    return made;
  }
  test::TemporaryFolder folder_;
  TrainOptions options_;
  Dataset data_;
  Device device_;
  Model model_;
  Context context_;
  TrialPhotos photos_;
  Reporter reporter_{nullptr};
};

TEST_F(Trial, AWildRateIsSeenToBeWorse) {
  Decoder source;
  auto trial = TuningTrial::prepare(context_, setting(), source, reporter_);
  ASSERT_TRUE(trial.ok()) << trial.error().message;
  EXPECT_EQ(trial->untuned().losses.size(), 16U);
  EXPECT_GT(trial->untuned().accuracy, 0.5);  // three colours, chance a third
  const auto gentle = trial->run({1e-4, NormMode::kFrozen}, source, reporter_);
  const auto wild = trial->run({10, NormMode::kFrozen}, source, reporter_);
  ASSERT_TRUE(gentle.ok() && wild.ok());
  EXPECT_EQ(best_way(std::vector{*wild, *gentle}), 1U);
  EXPECT_FALSE(tuning_pays(trial->untuned(), *wild));
}

TEST_F(Trial, RepeatsBitForBit) {
  Decoder source;
  auto trial = TuningTrial::prepare(context_, setting(), source, reporter_);
  ASSERT_TRUE(trial.ok());
  const auto first = trial->run({1e-3, NormMode::kLive}, source, reporter_);
  const auto second = trial->run({1e-3, NormMode::kLive}, source, reporter_);
  ASSERT_TRUE(first.ok() && second.ok());
  EXPECT_EQ(first->losses, second->losses);
}

}  // namespace
}  // namespace fovea::training
