// SPDX-License-Identifier: Apache-2.0
#include "train/label_sets.h"

#include <gtest/gtest.h>

#include <cmath>

#include "train/golden_file.h"

namespace fovea::training {
namespace {

using Flags = std::vector<std::uint8_t>;

// Four photos, two classes.
const std::vector<float> kProbabilities{0.9F, 0.2F, 0.8F, 0.6F, 0.7F, 0.1F, 0.6F, 0.4F};
const Flags kTargets{1, 0, 0, 1, 1, 0, 0, 1};
const LabelSetPredictions kPredictions{kProbabilities, kTargets, 2};
const std::vector<double> kThresholds{0.75, 0.5};

TEST(LabelSets, TargetsAreThoseOfTheSamplesThatTheRowsName) {
  const std::vector<Sample> samples{{"a", {0, 2}}, {"b", {}}, {"c", {1}}};
  EXPECT_EQ(targets_of(std::vector<std::int32_t>{2, 0, 1}, samples, 3), (Flags{0, 1, 0, 1, 0, 1, 0, 0, 0}));
}

TEST(LabelSets, F1AgreesWithScikitLearn) {
  const test::Golden golden = test::read_golden("train/golden/label_sets.txt");
  const auto scores = test::to_floats(golden.at("scores")[0]);
  Flags targets;
  for (const double value : golden.at("targets")[0]) targets.push_back(value != 0 ? 1 : 0);
  const LabelSetPredictions predictions{scores, targets, 3};
  const MultiLabelFigures figures = figures_of(predictions, decide(predictions, std::vector<double>(3, 0.5)));
  EXPECT_NEAR(figures.micro_f1, golden.at("f1")[0][0], 1e-12);
  EXPECT_NEAR(figures.macro_f1, golden.at("f1")[0][1], 1e-12);
}

TEST(LabelSets, CountsByHand) {
  const Flags answered = decide(kPredictions, kThresholds);
  EXPECT_EQ(answered, (Flags{1, 0, 1, 1, 0, 0, 0, 0}));
  const std::vector<std::string> names{"sun", "haze"};
  const Evaluation e = evaluation_of(kPredictions, answered, kThresholds, names);
  ASSERT_TRUE(e.multi_label);
  // sun: 1 of 2 found, 1 of 2 answers right; haze: 1 of 2 found, the one answer right.
  EXPECT_DOUBLE_EQ(e.classes[0].precision, 0.5);
  EXPECT_DOUBLE_EQ(e.classes[0].recall, 0.5);
  EXPECT_DOUBLE_EQ(e.classes[1].precision, 1);
  EXPECT_DOUBLE_EQ(e.classes[1].f1, 2.0 / 3);
  EXPECT_DOUBLE_EQ(e.multi_label->micro_f1, 2.0 * 2 / (3 + 4));
  EXPECT_DOUBLE_EQ(e.multi_label->macro_f1, (0.5 + 2.0 / 3) / 2);
  EXPECT_DOUBLE_EQ(e.multi_label->exact_match, 0.25);  // the first photo alone
  EXPECT_DOUBLE_EQ(e.accuracy, 0.25);
  EXPECT_DOUBLE_EQ(e.multi_label->chance, 0.5);
  EXPECT_DOUBLE_EQ(e.classes[0].average_precision.value(), (1 + 2.0 / 3) / 2);
  EXPECT_DOUBLE_EQ(e.classes[1].average_precision.value(), 1);
  EXPECT_DOUBLE_EQ(e.classes[0].threshold.value(), 0.75);
  EXPECT_NEAR(e.log_loss, -(std::log(0.9 * 0.8) + std::log(0.2 * 0.6) + std::log(0.7 * 0.9) + std::log(0.4 * 0.4)) / 4, 1e-6);
}

TEST(LabelSets, WrongPhotosAreToldBySetsAndTheSurestWrongAnswer) {
  const std::vector<Sample> samples{{"0.jpg", {0}}, {"1.jpg", {1}}, {"2.jpg", {0}}, {"3.jpg", {1}}};
  const std::vector<std::string> names{"sun", "haze"};
  const auto wrong =
      wrong_photos(kPredictions, decide(kPredictions, kThresholds), std::vector<std::int32_t>{0, 1, 2, 3}, samples, names);
  ASSERT_EQ(wrong.size(), 3U);  // the first photo is answered exactly
  EXPECT_EQ(wrong[0].path, "1.jpg");
  EXPECT_EQ(wrong[0].label, "haze");
  EXPECT_EQ(wrong[0].predicted, "sun;haze");
  EXPECT_EQ(wrong[0].about, "sun");
  EXPECT_FLOAT_EQ(static_cast<float>(wrong[0].probability), 0.8F);
  EXPECT_EQ(wrong[1].path, "3.jpg");  // haze at 0.4 was left out: sure by 0.6
  EXPECT_EQ(wrong[1].predicted, "");
  EXPECT_EQ(wrong[1].about, "haze");
  EXPECT_EQ(wrong[2].path, "2.jpg");
}

TEST(LabelSets, AClassWithoutPhotosDoesNotCount) {
  const std::vector<float> probabilities{0.9F, 0.9F, 0.1F, 0.8F};
  const Flags targets{1, 0, 0, 0};
  const LabelSetPredictions predictions{probabilities, targets, 2};
  EXPECT_DOUBLE_EQ(figures_of(predictions, Flags{1, 0, 0, 0}).mean_average_precision, 1);
  EXPECT_DOUBLE_EQ(figures_of(predictions, Flags{1, 0, 0, 0}).macro_f1, 1);
}

TEST(LabelSets, NoPhotosAreNoCrash) {
  const LabelSetPredictions none{{}, {}, 3};
  EXPECT_EQ(figures_of(none, {}).micro_f1, 0);
  EXPECT_EQ(figures_of(none, {}).mean_average_precision, 0);
  EXPECT_EQ(log_loss(none), 0);
}

}  // namespace
}  // namespace fovea::training
