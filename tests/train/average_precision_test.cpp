// SPDX-License-Identifier: Apache-2.0
#include "train/average_precision.h"

#include <gtest/gtest.h>

#include "core/rng.h"
#include "train/golden_file.h"

namespace fovea::training {
namespace {

using Flags = std::vector<std::uint8_t>;

struct Answers {
  std::vector<float> scores;
  Flags targets;
  std::size_t classes = 0;
  [[nodiscard]] LabelSetPredictions predictions() const { return {scores, targets, classes}; }
};

Answers golden_answers(const test::Golden& golden) {
  Answers answers{test::to_floats(golden.at("scores")[0]), {}, golden.at("average_precision")[0].size()};
  for (const double value : golden.at("targets")[0]) answers.targets.push_back(value != 0 ? 1 : 0);
  return answers;
}

/// Two labels a photo, each noticed better than by chance.
Answers drawn_answers(int photos) {
  Answers answers{{}, {}, 2};
  Rng rng(4);
  for (int i = 0; i < 2 * photos; ++i) {
    const bool there = rng.chance(0.3F);
    answers.targets.push_back(there ? 1 : 0);
    answers.scores.push_back(rng.uniform() + (there ? 0.3F : 0.0F));
  }
  return answers;
}

TEST(AveragePrecision, AgreesWithScikitLearn) {
  const test::Golden golden = test::read_golden("train/golden/label_sets.txt");
  const Answers answers = golden_answers(golden);
  double sum = 0;
  for (std::size_t k = 0; k < answers.classes; ++k) {
    const double wanted = golden.at("average_precision")[0][k];
    EXPECT_NEAR(average_precision(answers.predictions(), k), wanted, 1e-12) << k;
    sum += wanted;
  }
  EXPECT_NEAR(mean_average_precision(answers.predictions()), sum / static_cast<double>(answers.classes), 1e-12);
}

TEST(AveragePrecision, EqualScoresAreOneStep) {
  EXPECT_DOUBLE_EQ(average_precision(std::vector<float>{0.5F, 0.5F, 0.5F, 0.5F}, Flags{1, 0, 0, 0}), 0.25);
  EXPECT_DOUBLE_EQ(average_precision(std::vector<float>{0.9F, 0.5F, 0.1F}, Flags{0, 1, 0}), 0.5);
  EXPECT_DOUBLE_EQ(average_precision(std::vector<float>{0.9F, 0.5F}, Flags{0, 0}), 0);
}

TEST(AveragePrecision, AClassWithoutPhotosDoesNotCount) {
  const std::vector<float> scores{0.9F, 0.9F, 0.1F, 0.8F};
  EXPECT_DOUBLE_EQ(mean_average_precision({scores, Flags{1, 0, 0, 0}, 2}), 1);
  EXPECT_DOUBLE_EQ(mean_average_precision({scores, Flags(4, 0), 2}), 0);
  EXPECT_DOUBLE_EQ(mean_average_precision({{}, {}, 2}), 0);
}

TEST(AveragePrecision, TheIntervalHoldsTheFigureAndNarrowsWithMorePhotos) {
  const Answers few = drawn_answers(60);
  const Answers many = drawn_answers(960);
  const Interval wide = mean_average_precision_interval(few.predictions());
  const Interval narrow = mean_average_precision_interval(many.predictions());
  for (const auto& [answers, interval] : {std::pair{&few, wide}, std::pair{&many, narrow}}) {
    EXPECT_LT(interval.low, mean_average_precision(answers->predictions()));
    EXPECT_GT(interval.high, mean_average_precision(answers->predictions()));
  }
  // Sixteen times the photos: about a quarter of the width; less than a half leaves room for the draw.
  EXPECT_LT(narrow.high - narrow.low, (wide.high - wide.low) / 2);
}

TEST(AveragePrecision, TheIntervalOfWhatNoDrawCanChangeIsAPoint) {
  const std::vector<float> scores{0.9F, 0.8F, 0.2F, 0.1F};
  const Interval perfect = mean_average_precision_interval({scores, Flags{1, 1, 1, 1}, 1});
  EXPECT_DOUBLE_EQ(perfect.low, 1);
  EXPECT_DOUBLE_EQ(perfect.high, 1);
  const Interval unknown = mean_average_precision_interval({std::span(scores).first(1), Flags{1}, 1});
  EXPECT_DOUBLE_EQ(unknown.low, 0);
  EXPECT_DOUBLE_EQ(unknown.high, 1);
}

}  // namespace
}  // namespace fovea::training
