// SPDX-License-Identifier: Apache-2.0
#include "train/k_fold.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "core/rng.h"
#include "train/tiny_data.h"

namespace fovea::training {
namespace {

TEST(KFold, TheSummaryIsMeanAndSampleDeviation) {
  const CrossValidation summary = summary_of("last layer", {0.9, 1.0, 0.8});
  EXPECT_NEAR(summary.mean, 0.9, 1e-12);
  EXPECT_NEAR(summary.deviation, 0.1, 1e-12);
  EXPECT_EQ(summary_of("last layer", {}).mean, 0);
  EXPECT_EQ(summary_of("last layer", {0.5}).deviation, 0);
}

/// Class k is the larger of two noisy features; `wrong` of the labels are drawn anew.
struct Rows {
  std::vector<float> features;
  std::vector<std::int32_t> labels;
  std::vector<float> weights;
  Rows(std::size_t rows, float wrong) : weights(rows, 1.0F) {
    Rng rng(3);
    for (std::size_t n = 0; n < rows; ++n) {
      const auto label = static_cast<std::int32_t>(rng.below(2));
      features.push_back(label == 0 ? 1.0F : rng.uniform(0.0F, 0.2F));
      features.push_back(label == 1 ? 1.0F : rng.uniform(0.0F, 0.2F));
      labels.push_back(rng.chance(wrong) ? static_cast<std::int32_t>(rng.below(2)) : label);
    }
  }
  [[nodiscard]] FeatureSet set() const { return {features, labels, 2, 2}; }
};

TEST(KFold, ClearClassesAreToldApartInEveryFold) {
  const Rows rows(100, 0);
  const auto accuracies = cross_validate_head(Context{}, rows.set(), rows.weights, {}, 5, 0);
  ASSERT_EQ(accuracies.size(), 5U);
  for (const double accuracy : accuracies) EXPECT_EQ(accuracy, 1.0);
}

TEST(KFold, RandomLabelsCannotBeGuessed) {
  const Rows rows(400, 1);
  const CrossValidation summary = summary_of("", cross_validate_head(Context{}, rows.set(), rows.weights, {}, 4, 0));
  EXPECT_NEAR(summary.mean, 0.5, 4 * 0.5 / std::sqrt(400.0));  // four standard errors of a fair coin
}

TEST(KFold, EveryPhotoIsTestedOnceAndNeverTrainedOnThen) {
  test::TemporaryFolder folder;
  test::write_tiny_data(folder / "data", 6, 2);
  const auto data = scan_dataset(folder / "data");
  ASSERT_TRUE(data.ok());
  const auto parts = split_into_folds(Context{}, *data, 3, 0);
  ASSERT_TRUE(parts.ok()) << parts.error().message;
  ASSERT_EQ(parts->size(), 3U);
  std::set<std::filesystem::path> tested;
  for (const Dataset& part : *parts) {
    EXPECT_EQ(part.train.size() + part.test.size(), data->train.size());
    EXPECT_TRUE(part.val.empty());
    for (const Sample& sample : part.test) {
      EXPECT_TRUE(tested.insert(sample.path).second);
      EXPECT_TRUE(std::ranges::none_of(part.train, [&](const Sample& other) { return other.path == sample.path; }));
    }
  }
  EXPECT_EQ(tested.size(), data->train.size());
}

class Folds : public testing::Test {
 protected:
  void SetUp() override {
    options_ = test::prepare_tiny_run(folder_);
    options_.folds = 3;
  }
  test::TemporaryFolder folder_;
  TrainOptions options_;
};

TEST_F(Folds, OfTheLastLayerAreReported) {
  const auto report = train(options_);
  ASSERT_TRUE(report.ok()) << report.error().message;
  ASSERT_TRUE(report->cross_validation);
  EXPECT_EQ(report->cross_validation->what, "last layer");
  EXPECT_EQ(report->cross_validation->accuracies.size(), 3U);
  EXPECT_GT(report->cross_validation->mean, 1.0 / 3);  // chance
}

TEST_F(Folds, OfTheRecipeAreRunsOfTheirOwnAndLeaveNothingBehind) {
  options_.scope = Scope::kFull;
  options_.epochs = 1;
  options_.folds_of_recipe = true;
  const auto report = train(options_);
  ASSERT_TRUE(report.ok()) << report.error().message;
  ASSERT_TRUE(report->cross_validation);
  EXPECT_EQ(report->cross_validation->what, "whole recipe");
  EXPECT_EQ(report->cross_validation->accuracies.size(), 3U);
  EXPECT_FALSE(std::filesystem::exists(report->run_folder / "fold"));
}

TEST_F(Folds, OneFoldIsRefused) {
  options_.folds = 1;
  const auto report = train(options_);
  ASSERT_FALSE(report.ok());
  EXPECT_NE(report.error().message.find("folds"), std::string::npos);
}

}  // namespace
}  // namespace fovea::training
