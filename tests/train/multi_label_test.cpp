// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <fstream>

#include "fovea/classifier.h"
#include "fovea/evaluate.h"
#include "fovea/trainer.h"
#include "model/model_file.h"
#include "train/tiny_data.h"

namespace fovea {
namespace {

constexpr std::array<const char*, 3> kColours{"red", "green", "blue"};

/// Thirds of a picture, each in a colour of `labels` (a bit each) or grey.
Image patches(unsigned labels, std::uint32_t number) {
  Image image(48, 48);
  Rng rng(17, labels, number);
  for (std::size_t i = 0; i < image.pixels.size(); ++i) {
    const std::size_t third = i / 3 % 48 / 16;
    const bool lit = (labels >> third & 1U) != 0 && i % 3 == third;
    image.pixels[i] = static_cast<std::uint8_t>((lit ? 190 : 60) + static_cast<int>(rng.below(50)));
  }
  return image;
}

/// Every set of colours (none too) so many times in each split, as a CSV `path,label,split`.
void write_patches(const std::filesystem::path& root, std::uint32_t train, std::uint32_t val, std::uint32_t test = 0) {
  std::string csv = "path,label,split\n";
  for (unsigned labels = 0; labels < 8; ++labels) {
    std::string names;
    for (std::size_t k = 0; k < 3; ++k) {
      if ((labels >> k & 1U) != 0) names += (names.empty() ? "" : ";") + std::string(kColours[k]);
    }
    for (std::uint32_t n = 0; n < train + val + test; ++n) {
      const std::string name = std::to_string(labels) + "_" + std::to_string(n) + ".png";
      test::photo_file(root / name, patches(labels, n));
      csv += name + "," + names + (n < train ? ",train\n" : n < train + val ? ",val\n" : ",test\n");
    }
  }
  test::text_file(root / "labels.csv", csv);
}

class MultiLabel : public testing::Test {
 protected:
  void SetUp() override {
    options_ = test::prepare_tiny_run(folder_);
    write_patches(folder_ / "data", 5, 3);
    options_.data = folder_ / "data/labels.csv";
  }
  test::TemporaryFolder folder_;
  TrainOptions options_;
};

TEST_F(MultiLabel, TheHeadLearnsColoursThatStandSideBySide) {
  const auto report = train(options_);
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(report->classes, (std::vector<std::string>{"blue", "green", "red"}));
  ASSERT_TRUE(report->multi_label);
  EXPECT_DOUBLE_EQ(report->multi_label->chance, 0.5);
  EXPECT_GT(report->multi_label->mean_average_precision, 0.8);  // chance is one half, and random features tell colours apart
  const auto model = load_model(report->model);
  ASSERT_TRUE(model.ok()) << model.error().message;
  EXPECT_EQ(model->thresholds.size(), 3U);
  // Thresholds come from the training photos by cross-validation, so what was reported is what the model does.
  const auto evaluation = evaluate(report->model, options_.data);
  ASSERT_TRUE(evaluation.ok()) << evaluation.error().message;
  ASSERT_TRUE(evaluation->multi_label);
  EXPECT_EQ(evaluation->photos, 24);
  EXPECT_DOUBLE_EQ(evaluation->multi_label->mean_average_precision, report->multi_label->mean_average_precision);
  EXPECT_DOUBLE_EQ(evaluation->multi_label->micro_f1, report->multi_label->micro_f1);
  EXPECT_DOUBLE_EQ(evaluation->accuracy, *report->accuracy);
  EXPECT_EQ(evaluation->classes[2].photos, 12);
}

TEST_F(MultiLabel, PredictAnswersWithEveryLabelAboveItsThreshold) {
  ASSERT_TRUE(train(options_).ok());
  auto model = load_model(folder_ / "model.safetensors");
  ASSERT_TRUE(model.ok());
  for (const double threshold : {1e-6, 1 - 1e-6}) {
    model->thresholds.assign(3, threshold);
    model->calibration.temperature = 8;  // patches are so easy that probabilities come close to 0 and 1
    ASSERT_TRUE(save_model(*model, folder_ / "model.safetensors").ok());
    auto classifier = Classifier::open(folder_ / "model.safetensors", {.threads = 1});
    ASSERT_TRUE(classifier.ok()) << classifier.error().message;
    EXPECT_TRUE(classifier->multi_label());
    const auto answer = classifier->classify_file(folder_ / "data/7_6.png");
    ASSERT_TRUE(answer.ok()) << answer.error().message;
    EXPECT_EQ(answer->predictions.size(), 3U);
    EXPECT_EQ(answer->labels.size(), threshold < 0.5 ? 3U : 0U);
    EXPECT_FALSE(answer->rejected);
    EXPECT_GE(answer->predictions[0].probability, answer->predictions[2].probability);
  }
}

TEST_F(MultiLabel, EveryScopeAndHeadLearns) {
  struct Case {
    Scope scope;
    HeadKind head;
    BatchNormMode norm;
  };
  for (const Case& c : {Case{Scope::kTail, HeadKind::kLinear, BatchNormMode::kFrozen},
                        Case{Scope::kHead, HeadKind::kConv, BatchNormMode::kFrozen},
                        Case{Scope::kFull, HeadKind::kLinear, BatchNormMode::kLive}}) {
    options_.scope = c.scope;
    options_.head = c.head;
    options_.batchnorm = c.norm;
    const auto report = train(options_);
    ASSERT_TRUE(report.ok()) << report.error().message;
    ASSERT_TRUE(report->multi_label);
    ASSERT_FALSE(report->epochs.empty());
    EXPECT_EQ(report->epochs[0].measure, Measure::kMeanAveragePrecision);
    const auto evaluation = evaluate(report->model, options_.data);
    ASSERT_TRUE(evaluation.ok()) << evaluation.error().message;
    EXPECT_DOUBLE_EQ(evaluation->multi_label->mean_average_precision, report->multi_label->mean_average_precision);
  }
}

TEST_F(MultiLabel, FromScratchLowersTheLoss) {
  options_.pretrained = false;
  options_.scope = Scope::kFull;
  options_.epochs = 15;
  options_.augment = AugmentLevel::kNone;
  options_.dropout = 0;
  const auto report = train(options_);
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_LT(report->epochs.back().train_loss, report->epochs.front().train_loss);
  EXPECT_NEAR(report->epochs.front().train_loss, 3 * std::log(2.0), 1.5);  // three questions, answered at random at first
}

TEST_F(MultiLabel, HeldOutPhotosAndCrossValidationTakeSeveralLabels) {
  std::string csv;
  std::ifstream file(options_.data);
  for (std::string line; std::getline(file, line);) csv += line.substr(0, line.rfind(',')) + "\n";
  test::text_file(folder_ / "data/unsplit.csv", csv);
  options_.data = folder_ / "data/unsplit.csv";
  options_.fit = FitChoice::kAuto;
  const auto report = train(options_);
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_GT(report->val_photos, 0);
  EXPECT_TRUE(report->multi_label);
}

TEST_F(MultiLabel, AsManyPhotosAsFoldersNameThemIsOnlyDoneWhenAskedFor) {
  for (unsigned labels = 1; labels < 8; ++labels) {
    for (std::uint32_t n = 0; n < 4; ++n) {
      for (std::size_t k = 0; k < 3; ++k) {
        const std::string name = std::to_string(labels) + "_" + std::to_string(n) + ".png";
        if ((labels >> k & 1U) != 0) test::photo_file(folder_ / "folders" / kColours[k] / name, patches(labels, n));
      }
    }
  }
  options_.data = folder_ / "folders";
  options_.multi_label = true;
  const auto several = train(options_);
  ASSERT_TRUE(several.ok()) << several.error().message;
  EXPECT_EQ(several->train_photos + several->val_photos, 28);
  EXPECT_TRUE(several->multi_label);
  // The data is read the way the model needs it.
  const auto evaluation = evaluate(several->model, options_.data);
  ASSERT_TRUE(evaluation.ok()) << evaluation.error().message;
  EXPECT_EQ(evaluation->photos, 28);
}

TEST_F(MultiLabel, AModelOfOneClassAPhotoIsNotJudgedBySeveral) {
  test::write_tiny_data(folder_ / "single");
  TrainOptions single = options_;
  single.data = folder_ / "single";
  ASSERT_TRUE(train(single).ok());
  EXPECT_FALSE(load_model(folder_ / "model.safetensors")->multi_label());
  const auto evaluation = evaluate(folder_ / "model.safetensors", options_.data);
  ASSERT_FALSE(evaluation.ok());
  EXPECT_EQ(evaluation.error().kind, Error::Kind::kUsage);
}

TEST_F(MultiLabel, TheSameSeedGivesTheSameBits) {
  options_.scope = Scope::kFull;
  options_.threads = 2;
  ASSERT_TRUE(train(options_).ok());
  const std::string first = test::bytes_of(folder_ / "model.safetensors");
  ASSERT_TRUE(train(options_).ok());
  EXPECT_TRUE(test::bytes_of(folder_ / "model.safetensors") == first);
}

std::string chosen(const TrainReport& report, std::string_view what) {
  for (const Choice& choice : report.choices) {
    if (choice.what == what) return choice.chosen + ": " + choice.reason;
  }
  return "";
}

TEST_F(MultiLabel, FiguresSayWhatPhotosTheyComeFrom) {
  write_patches(folder_ / "data", 5, 3, 2);
  const auto head = train(options_);
  ASSERT_TRUE(head.ok()) << head.error().message;
  ASSERT_TRUE(head->test_multi_label);
  EXPECT_EQ(head->test_photos, 16);
  EXPECT_EQ(head->calibration->photos, 40);
  EXPECT_TRUE(head->calibration->fitted_on.starts_with("training photos"));
  EXPECT_TRUE(chosen(*head, "thresholds").find("training photos") != std::string::npos);
  EXPECT_TRUE(chosen(*head, "rejection").starts_with("none: "));
  EXPECT_FALSE(head->picked_by_validation);
  const std::string model = test::bytes_of(head->model);
  EXPECT_TRUE(model.find("16 test photos, which no choice saw") != std::string::npos);
  const std::string html = test::bytes_of(head->html);
  EXPECT_TRUE(html.find("mean average precision") != std::string::npos);
  options_.head = HeadKind::kConv;  // its last layer is no exact one: nothing else than validation photos can set thresholds
  const auto conv = train(options_);
  ASSERT_TRUE(conv.ok()) << conv.error().message;
  EXPECT_EQ(conv->calibration->photos, 24);
  EXPECT_EQ(conv->calibration->fitted_on, "validation photos");
  EXPECT_TRUE(conv->picked_by_validation);
}

TEST_F(MultiLabel, FoldsAreOfMeanAveragePrecision) {
  options_.folds = 3;
  for (const bool of_recipe : {false, true}) {
    options_.scope = of_recipe ? Scope::kFull : Scope::kHead;
    options_.folds_of_recipe = of_recipe;
    options_.epochs = 1;
    const auto report = train(options_);
    ASSERT_TRUE(report.ok()) << report.error().message;
    ASSERT_TRUE(report->cross_validation);
    EXPECT_EQ(report->cross_validation->measure, Measure::kMeanAveragePrecision);
    EXPECT_EQ(report->cross_validation->accuracies.size(), 3U);
    EXPECT_GT(report->cross_validation->mean, 0.5);  // chance
  }
}

TEST_F(MultiLabel, TrialsJudgeWaysOfFineTuningByEveryLabel) {
  write_patches(folder_ / "data", 14, 2);
  options_.scope = Scope::kFull;
  options_.epochs = 1;
  const auto report = train(options_);
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_TRUE(chosen(*report, "fine-tuning").find("% mean average precision (loss") != std::string::npos);
}

}  // namespace
}  // namespace fovea
