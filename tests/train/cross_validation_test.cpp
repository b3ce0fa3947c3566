// SPDX-License-Identifier: Apache-2.0
#include "train/cross_validation.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "core/rng.h"
#include "train/softmax_regression.h"

namespace fovea::training {
namespace {

TEST(StratifiedFolds, SpreadEveryClassEvenly) {
  std::vector<std::int32_t> labels;
  for (std::int32_t k = 0; k < 3; ++k) labels.insert(labels.end(), static_cast<std::size_t>(20 + 7 * k), k);
  const auto folds = stratified_folds(labels, {}, 5, 1);
  for (std::int32_t k = 0; k < 3; ++k) {
    std::vector<int> counts(5, 0);
    for (std::size_t n = 0; n < labels.size(); ++n) counts[static_cast<std::size_t>(folds[n])] += labels[n] == k ? 1 : 0;
    const auto [least, most] = std::minmax_element(counts.begin(), counts.end());
    EXPECT_LE(*most - *least, 1) << "class " << k;
  }
}

TEST(StratifiedFolds, NeverDivideAGroup) {
  std::vector<std::int32_t> labels(60, 0);
  std::vector<std::int32_t> groups(60);
  for (std::size_t n = 0; n < 60; ++n) {
    labels[n] = static_cast<std::int32_t>(n % 4);
    groups[n] = static_cast<std::int32_t>(n / 7);
  }
  const auto folds = stratified_folds(labels, groups, 3, 1);
  std::set<std::pair<std::int32_t, std::int32_t>> seen;
  for (std::size_t n = 0; n < 60; ++n) seen.emplace(groups[n], folds[n]);
  EXPECT_EQ(seen.size(), 9U);
}

TEST(StratifiedFolds, DependOnTheSeed) {
  const std::vector<std::int32_t> labels(100, 0);
  EXPECT_EQ(stratified_folds(labels, {}, 5, 1), stratified_folds(labels, {}, 5, 1));
  EXPECT_NE(stratified_folds(labels, {}, 5, 1), stratified_folds(labels, {}, 5, 2));
}

/// Two informative features among `width`; a share of the labels is noise.
struct Noisy {
  std::vector<float> features;
  std::vector<std::int32_t> labels;
  Noisy(std::int64_t rows, std::int64_t width, float wrong) {
    for (std::int64_t n = 0; n < rows; ++n) {
      Rng rng(3, 0, static_cast<std::uint32_t>(n));
      const auto label = static_cast<std::int32_t>(n % 2);
      for (std::int64_t d = 0; d < width; ++d) {
        const float mean = d == 0 ? static_cast<float>(2 * label - 1) : 0.0F;
        features.push_back(mean + rng.normal());
      }
      labels.push_back(rng.chance(wrong) ? 1 - label : label);
    }
  }
};

TEST(StrengthSearch, NoisyLabelsAskForMoreThanCleanOnes) {
  std::vector<double> chosen;
  for (const float wrong : {0.0F, 0.35F}) {
    const Noisy data(300, 40, wrong);
    const FeatureSet set{data.features, data.labels, 40, 2};
    const Context context;
    const SoftmaxRegression regression(context, set);
    const std::vector<float> weights(300, 1.0F);
    const auto search = search_strength(context, regression, weights, stratified_folds(data.labels, {}, 5, 1));
    chosen.push_back(search.chosen().strength);
    for (const auto& point : search.path) {
      EXPECT_LE(search.chosen().held_out.loss, point.held_out.loss + point.standard_error) << point.strength;
    }
  }
  EXPECT_GT(chosen[1], chosen[0]);
}

TEST(StrengthSearch, TriesAllFoldsButForLargeSets) {
  EXPECT_EQ(folds_to_try(678, 1280, 3, 5), 5);
  EXPECT_EQ(folds_to_try(20'000, 1280, 75, 5), 5);
  EXPECT_EQ(folds_to_try(40'000, 1280, 75, 5), 2);
  EXPECT_EQ(folds_to_try(100'000, 1280, 1000, 5), 1);
  EXPECT_EQ((FoldsTried{5, 5}.describe()), "5-fold cross-validation");
  EXPECT_EQ((FoldsTried{1, 5}.describe()), "1 fold of 5-fold cross-validation");
  EXPECT_EQ((FoldsTried{3, 5}.describe()), "3 folds of 5-fold cross-validation");
}

TEST(StrengthSearch, OfOneFoldIsJudgedOnThatFold) {
  const Noisy data(300, 40, 0.2F);
  const FeatureSet set{data.features, data.labels, 40, 2};
  const Context context;
  const SoftmaxRegression regression(context, set);
  const std::vector<float> weights(300, 1.0F);
  const auto folds = stratified_folds(data.labels, {}, 5, 1);
  const StrengthSearch search = search_strength(context, regression, weights, folds, 1);
  EXPECT_EQ(search.folds_tried, 1);
  std::vector<float> inside = weights;
  std::vector<float> outside = weights;
  for (std::size_t n = 0; n < folds.size(); ++n) (folds[n] == 0 ? inside : outside)[n] = 0;
  HeadRegression::Weights solved = regression.zero();
  regression.solve(inside, search.path.front().strength, {.gradient_tolerance = 3e-4}, solved);
  const auto score = regression.score(outside, solved);
  EXPECT_DOUBLE_EQ(search.path.front().held_out.loss, score.loss);
  EXPECT_DOUBLE_EQ(search.path.front().held_out.accuracy, score.accuracy);
  const auto photos = static_cast<double>(std::ranges::count(folds, 0));
  EXPECT_DOUBLE_EQ(search.path.front().standard_error, std::sqrt(score.loss_variance / photos));
}

TEST(FitHead, AClassWithOnePhotoIsNoProblem) {
  Noisy data(31, 8, 0);
  data.labels.back() = 2;
  const FeatureSet set{data.features, data.labels, 8, 3};
  const std::vector<float> weights(31, 1.0F);
  const FittedHead fitted = fit_head({}, set, weights, stratified_folds(data.labels, {}, 5, 1));
  EXPECT_TRUE(fitted.solution.converged);
  EXPECT_EQ(fitted.head.bias.size(), 3U);
  EXPECT_GT(fitted.search.chosen().held_out.accuracy, 0.6);
}

TEST(FitHead, TellsHowManyFoldsFewPhotosMake) {
  Noisy data(3, 8, 0);
  data.labels = {0, 1, 0};
  const FeatureSet set{data.features, data.labels, 8, 2};
  const FittedHead fitted = fit_head({}, set, std::vector<float>(3, 1.0F), stratified_folds(data.labels, {}, 5, 1));
  EXPECT_EQ(fitted.folds, 3);
  EXPECT_EQ(fitted.search.folds_tried, 3);
}

}  // namespace
}  // namespace fovea::training
