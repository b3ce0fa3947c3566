// SPDX-License-Identifier: Apache-2.0
#include "fovea/trainer.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "core/file.h"
#include "fovea/classifier.h"
#include "fovea/evaluate.h"
#include "model/model_file.h"
#include "train/tiny_data.h"

namespace fovea {
namespace {

using test::bytes_of;

class Trainer : public testing::Test {
 protected:
  void SetUp() override { options_ = test::prepare_tiny_run(folder_); }
  test::TemporaryFolder folder_;
  TrainOptions options_;
};

struct Recorder final : TrainObserver {
  void on_stage_finished(const StageReport& stage) override { stages.push_back(stage.name); }
  void on_epoch(const EpochReport& epoch) override { epochs.push_back(epoch); }
  void on_skipped(const SkippedPhoto& photo) override { skipped.push_back(photo); }
  std::vector<std::string> stages;
  std::vector<EpochReport> epochs;
  std::vector<SkippedPhoto> skipped;
};

TEST_F(Trainer, TheHeadLearnsColoursAndTheModelSaysSoToo) {
  Recorder recorder;
  const auto report = train(options_, &recorder);
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(report->classes, (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_EQ(report->train_photos, 24);
  EXPECT_EQ(report->val_photos, 12);
  EXPECT_EQ(report->best_stage, "head");
  EXPECT_FALSE(report->picked_by_validation);
  ASSERT_TRUE(report->accuracy);
  EXPECT_GE(*report->accuracy, 0.75);    // chance is a third, and random features tell colours apart
  EXPECT_LT(report->interval.low, 0.8);  // twelve photos prove little
  EXPECT_NE(std::ranges::find(recorder.stages, "features"), recorder.stages.end());
  const auto evaluation = evaluate(report->model, options_.data);
  ASSERT_TRUE(evaluation.ok()) << evaluation.error().message;
  EXPECT_EQ(evaluation->accuracy, *report->accuracy);
  EXPECT_EQ(evaluation->photos, 12);
  EXPECT_EQ(static_cast<double>(evaluation->wrong.size()), std::round(12 * (1 - *report->accuracy)));
}

TEST_F(Trainer, TheFinalFigureIsThatOfTheTestPhotos) {
  for (int label = 0; label < 3; ++label) {
    for (std::uint32_t n = 0; n < 5; ++n) {
      test::photo_file(options_.data / "test" / std::string(1, static_cast<char>('a' + label)) / (std::to_string(n) + ".png"),
                       test::coloured_photo(label, 100 + n));
    }
  }
  const auto report = train(options_);
  ASSERT_TRUE(report.ok()) << report.error().message;
  ASSERT_TRUE(report->test_accuracy);
  EXPECT_EQ(report->test_photos, 15);
  EXPECT_LE(report->test_interval.low, *report->test_accuracy);
  EXPECT_TRUE(report->test_calibration_error);
  ASSERT_TRUE(report->calibration);
  EXPECT_EQ(report->calibration->photos, 12);
  const auto model = load_model(report->model);
  ASSERT_TRUE(model.ok()) << model.error().message;
  const auto accuracy = std::ranges::find(model->provenance, "accuracy", &std::pair<std::string, std::string>::first);
  ASSERT_NE(accuracy, model->provenance.end());
  EXPECT_NE(accuracy->second.find("15 test photos, which no choice saw"), std::string::npos) << accuracy->second;
  const auto evaluation = evaluate(report->model, options_.data, {.split = "test"});
  ASSERT_TRUE(evaluation.ok()) << evaluation.error().message;
  EXPECT_EQ(evaluation->accuracy, *report->test_accuracy);
  EXPECT_EQ(evaluation->calibration_error, *report->test_calibration_error);
  EXPECT_EQ(evaluation->rejected, report->test_rejected);
}

TEST_F(Trainer, PhotosOfNoneAreNoClassAndSetWhatIsRejected) {
  Image stripes(48, 40);
  for (std::uint32_t n = 0; n < 6; ++n) {
    for (std::size_t i = 0; i < stripes.pixels.size(); ++i) {
      stripes.pixels[i] = static_cast<std::uint8_t>(i / 3 % 48 / (2 + n) % 2 * 255);
    }
    test::photo_file(options_.data / "train/none" / (std::to_string(n) + ".png"), stripes);
  }
  options_.reject_rate = 0.1;
  const auto report = train(options_);
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(report->classes, (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_EQ(report->train_photos, 24);
  ASSERT_TRUE(report->rejection);
  EXPECT_EQ(report->rejection->none_photos, 6);
  EXPECT_LE(report->rejection->known_rejected, 0.1);
  auto classifier = Classifier::open(report->model);
  ASSERT_TRUE(classifier.ok()) << classifier.error().message;
  int rejected = 0;
  for (int n = 0; n < 6; ++n) {
    const auto answer = classifier->classify_file(options_.data / "train/none" / (std::to_string(n) + ".png"));
    ASSERT_TRUE(answer.ok()) << answer.error().message;
    EXPECT_EQ(answer->predictions.size(), 3U);
    rejected += answer->rejected ? 1 : 0;
  }
  EXPECT_EQ(rejected, std::lround(report->rejection->none_rejected * 6));
  options_.reject_rate = 0;
  const auto without = train(options_);
  ASSERT_TRUE(without.ok()) << without.error().message;
  EXPECT_FALSE(without->rejection);
  EXPECT_FALSE(load_model(without->model)->rejection);
}

TEST_F(Trainer, FullTrainingWritesAMetricsLineForEachEpoch) {
  options_.scope = Scope::kFull;
  Recorder recorder;
  const auto report = train(options_, &recorder);
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_TRUE(report->picked_by_validation);
  ASSERT_EQ(recorder.epochs.size(), 2U);
  EXPECT_GT(recorder.epochs[0].images_per_second, 0);
  std::ifstream metrics(report->run_folder / "metrics.jsonl");
  int epochs = 0;
  for (std::string line; std::getline(metrics, line);) {
    const auto object = nlohmann::json::parse(line);
    if (object.at("event") == "epoch") {
      ++epochs;
      EXPECT_GT(object.at("train_loss").get<double>(), 0);
      EXPECT_EQ(object.at("epoch"), epochs);
    }
  }
  EXPECT_EQ(epochs, 2);
}

TEST_F(Trainer, LaterFiguresKnowWhichPhotosMadeTheModel) {
  options_.scope = Scope::kFull;
  test::photo_file(options_.data / "test/a/0.png", test::coloured_photo(0, 100));
  test::photo_file(options_.data / "test/b/0.png", test::coloured_photo(1, 100));
  const auto report = train(options_);
  ASSERT_TRUE(report.ok()) << report.error().message;
  const auto judged = evaluate(report->model, options_.data, {.split = "val"});
  ASSERT_TRUE(judged.ok() && judged->seen);
  EXPECT_EQ(judged->seen->learned, 0);
  EXPECT_EQ(judged->seen->judged, 1);
  EXPECT_NE(judged->seen->caveat.find("best epoch"), std::string::npos) << judged->seen->caveat;
  const auto learned = evaluate(report->model, options_.data, {.split = "train"});
  ASSERT_TRUE(learned.ok() && learned->seen);
  EXPECT_EQ(learned->seen->learned, 1);
  EXPECT_NE(learned->seen->caveat.find("trained on 100.0 %"), std::string::npos) << learned->seen->caveat;
  const auto fresh = evaluate(report->model, options_.data, {.split = "test"});
  ASSERT_TRUE(fresh.ok() && fresh->seen);
  EXPECT_EQ(fresh->seen->learned + fresh->seen->judged, 0);
  EXPECT_TRUE(fresh->seen->caveat.empty());
}

TEST_F(Trainer, EveryScopeAndHeadMakesAModelThatCanBeUsed) {
  struct Case {
    Scope scope;
    HeadKind head;
    BatchNormMode norm;
    OptimizerKind optimizer;
  };
  for (const Case& c : {Case{Scope::kTail, HeadKind::kLinear, BatchNormMode::kFrozen, OptimizerKind::kAdamW},
                        Case{Scope::kHead, HeadKind::kConv, BatchNormMode::kFrozen, OptimizerKind::kSgd},
                        Case{Scope::kFull, HeadKind::kConv, BatchNormMode::kLive, OptimizerKind::kAdamW}}) {
    options_.scope = c.scope;
    options_.head = c.head;
    options_.batchnorm = c.norm;
    options_.optimizer = c.optimizer;
    const auto report = train(options_);
    ASSERT_TRUE(report.ok()) << report.error().message;
    const auto evaluation = evaluate(report->model, options_.data);
    ASSERT_TRUE(evaluation.ok()) << evaluation.error().message;
    EXPECT_EQ(evaluation->accuracy, report->accuracy.value());
  }
}

/// Over six runs: with so few photos a single one ends above its beginning now and then, which a last bit decides.
TEST_F(Trainer, FromScratchLowersTheLoss) {
  options_.pretrained = false;
  options_.scope = Scope::kFull;
  options_.epochs = 20;
  options_.augment = AugmentLevel::kNone;
  options_.dropout = 0;
  double lowered = 0;
  for (options_.seed = 1; options_.seed <= 6; ++options_.seed) {
    Recorder recorder;
    const auto report = train(options_, &recorder);
    ASSERT_TRUE(report.ok()) << report.error().message;
    ASSERT_EQ(recorder.epochs.size(), 20U);
    lowered += recorder.epochs.front().train_loss - recorder.epochs.back().train_loss;
  }
  EXPECT_GT(lowered, 0);
}

TEST_F(Trainer, TheSameSeedGivesTheSameBits) {
  options_.scope = Scope::kFull;
  options_.threads = 2;
  ASSERT_TRUE(train(options_).ok());
  const std::string first = bytes_of(folder_ / "model.safetensors");
  ASSERT_TRUE(train(options_).ok());
  EXPECT_EQ(bytes_of(folder_ / "model.safetensors"), first);
}

TEST_F(Trainer, DeterministicMeansTheSameBitsForAnyNumberOfThreads) {
  options_.scope = Scope::kFull;
  options_.epochs = 1;
  options_.deterministic = true;
  std::string first;
  for (const int threads : {1, 2, 3, 8}) {
    options_.threads = threads;
    ASSERT_TRUE(train(options_).ok());
    const std::string bytes = bytes_of(folder_ / "model.safetensors");
    if (first.empty()) first = bytes;
    EXPECT_EQ(bytes == first, true) << threads << " threads";
  }
}

TEST_F(Trainer, AnUnreadablePhotoIsReportedAndSkippedUnlessStrict) {
  test::text_file(folder_ / "data/train/a/broken.jpg", "\xFF\xD8\xFF not a photo");
  Recorder recorder;
  const auto report = train(options_, &recorder);
  ASSERT_TRUE(report.ok()) << report.error().message;
  ASSERT_EQ(report->skipped.size(), 1U);
  EXPECT_EQ(report->skipped[0].path.filename(), "broken.jpg");
  EXPECT_EQ(recorder.skipped.size(), 1U);
  EXPECT_EQ(report->skipped[0].reason.find("broken.jpg"), std::string::npos) << "the path is told once";
  options_.strict = true;
  const auto strict = train(options_);
  ASSERT_FALSE(strict.ok());
  EXPECT_NE(strict.error().message.find("broken.jpg"), std::string::npos);
}

TEST_F(Trainer, WeightsThatHadLearnedTheValidationPhotosAreToldAndRemembered) {
  namespace fs = std::filesystem;
  const auto from = [&](const fs::path& weights, const fs::path& data) {
    options_.weights = weights;
    options_.data = data;
    options_.model = folder_ / "next" / ("of_" + weights.stem().string());
    const auto report = train(options_);
    EXPECT_TRUE(report.ok()) << report.error().message;
    return report.ok() ? *report : TrainReport();
  };
  fs::create_directories(folder_ / "turned");
  fs::copy(folder_ / "data/train", folder_ / "turned/val", fs::copy_options::recursive);
  fs::copy(folder_ / "data/val", folder_ / "turned/train", fs::copy_options::recursive);
  ASSERT_TRUE(train(options_).ok());  // the last layer alone: what it was made of leaves no trace in the backbone
  EXPECT_EQ(from(folder_ / "model.safetensors", folder_ / "turned").caveat, "");
  options_ = test::tiny_options(folder_);
  options_.scope = Scope::kFull;
  options_.model = folder_ / "tuned";
  options_.data = folder_ / "data/train";
  options_.val_fraction = 0;  // with photos to judge by, the last layer alone may be the better
  const auto tuned = train(options_);
  ASSERT_TRUE(tuned.ok());
  ASSERT_EQ(tuned->best_stage, "full") << "or this test has nothing to look at";
  options_.scope = Scope::kHead;
  const TrainReport next = from(tuned->model, folder_ / "turned");
  EXPECT_NE(next.caveat.find("had learned 100.0 % of these photos"), std::string::npos) << next.caveat;
  const auto evaluation = evaluate(next.model, folder_ / "turned");
  ASSERT_TRUE(evaluation.ok());
  EXPECT_EQ(evaluation->seen->learned, 1) << "of a model that was made from it";
  EXPECT_NE(from(next.model, folder_ / "turned").caveat, "") << "and of the next";
}

TEST_F(Trainer, AListedPhotoThatIsNotThereCountsAsOneThatCannotBeRead) {
  std::string list = "path,label\ntrain/a/gone.png,a\n";
  for (const char* label : {"a", "b"}) {
    for (int n = 0; n < 8; ++n) list += "train/" + std::string(label) + "/" + std::to_string(n) + ".png," + label + "\n";
  }
  options_.data = folder_ / "data/list.csv";
  test::text_file(options_.data, list);
  const auto report = train(options_);
  ASSERT_TRUE(report.ok()) << report.error().message;
  ASSERT_EQ(report->skipped.size(), 1U);
  EXPECT_EQ(report->skipped[0].path.filename(), "gone.png");
  const auto evaluation = evaluate(report->model, options_.data);
  ASSERT_TRUE(evaluation.ok()) << evaluation.error().message;
  EXPECT_EQ(evaluation->skipped.size(), 1U);
}

TEST_F(Trainer, AClassOfWhichNoPhotoCanBeReadIsToldAndOneThatIsLeftAloneIsNoClassifier) {
  struct Listener final : TrainObserver {
    void on_warning(std::string_view text) override { said += text; }
    std::string said;
  } listener;
  const auto spoil = [&](const char* label) {
    for (const auto& photo : std::filesystem::directory_iterator(folder_ / "data/train" / label))
      test::text_file(photo.path(), "no photo");
  };
  spoil("b");
  const auto report = train(options_, &listener);
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_NE(listener.said.find("not one training photo of b could be read"), std::string::npos) << listener.said;
  spoil("c");
  const auto alone = train(options_);
  ASSERT_FALSE(alone.ok());
  EXPECT_NE(alone.error().message.find("not one training photo of b, c could be read"), std::string::npos)
      << alone.error().message;
}

TEST_F(Trainer, ClassesOfOneSideAndOfOnePhotoAreNoCrash) {
  test::photo_file(folder_ / "data/train/lonely/1.png", test::coloured_photo(0, 900));
  test::photo_file(folder_ / "data/val/unseen/1.png", test::coloured_photo(1, 901));
  const auto report = train(options_);
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(report->classes.size(), 5U);
  EXPECT_EQ(report->val_photos, 13);
}

TEST_F(Trainer, WithoutAValidationSplitOneIsHeldOut) {
  options_.data = folder_ / "data/train";
  const auto report = train(options_);
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_GT(report->val_photos, 0);
  EXPECT_TRUE(report->accuracy);
}

TEST_F(Trainer, ATestSplitIsMeasuredAtTheEnd) {
  test::photo_file(folder_ / "data/test/a/1.png", test::coloured_photo(0, 77));
  const auto report = train(options_);
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(report->test_photos, 1);
  EXPECT_TRUE(report->test_accuracy);
}

TEST_F(Trainer, StoppingBeforeThereIsAModelLeavesNone) {
  const std::atomic<bool> stop{true};
  options_.stop = &stop;
  const auto report = train(options_);
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error().kind, Error::Kind::kCancelled);
  EXPECT_FALSE(std::filesystem::exists(folder_ / "model.safetensors"));
}

/// Looks at the first model when it is announced, and asks for a stop.
struct Hasty final : TrainObserver {
  void on_first_model(const FirstModel& model) override {
    usable = load_model(model.path).ok();
    first = model;
    stop = true;
  }
  std::optional<FirstModel> first;
  bool usable = false;
  std::atomic<bool> stop{false};
};

TEST_F(Trainer, AModelIsUsableBeforeItIsValidated) {
  Hasty observer;
  options_.stop = &observer.stop;
  const auto report = train(options_, &observer);
  ASSERT_TRUE(report.ok()) << report.error().message;
  ASSERT_TRUE(observer.first);
  EXPECT_TRUE(observer.usable);
  EXPECT_EQ(observer.first->photos, 24);
  EXPECT_GE(observer.first->accuracy, 0.75);
  EXPECT_TRUE(report->stopped);
  EXPECT_FALSE(report->accuracy);  // stopped before it was known
  EXPECT_EQ(report->best_stage, "head");
  EXPECT_TRUE(load_model(report->model).ok());
}

/// Asks for a stop once the first epoch is done.
struct Impatient final : TrainObserver {
  void on_epoch(const EpochReport& /*epoch*/) override { stop = true; }
  std::atomic<bool> stop{false};
};

TEST_F(Trainer, StoppingLaterKeepsTheBestSoFar) {
  Impatient observer;
  options_.scope = Scope::kFull;
  options_.epochs = 50;
  options_.stop = &observer.stop;
  const auto report = train(options_, &observer);
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_TRUE(report->stopped);
  EXPECT_EQ(report->epochs.size(), 1U);
  EXPECT_TRUE(load_model(report->model).ok());
}

TEST_F(Trainer, WhatCannotWorkIsRefusedBeforeItStarts) {
  const auto refused = [&](const TrainOptions& options, Error::Kind kind, std::string_view text) {
    const auto report = train(options);
    ASSERT_FALSE(report.ok()) << text;
    EXPECT_EQ(report.error().kind, kind) << report.error().message;
    EXPECT_NE(report.error().message.find(text), std::string::npos) << report.error().message;
  };
  TrainOptions options = options_;
  options.weights = folder_ / "none.safetensors";
  refused(options, Error::Kind::kNotFound, "none.safetensors");
  options = options_;
  options.weights.clear();
  refused(options, Error::Kind::kNotFound, "--weights");
  options = options_;
  options.data = folder_ / "data/train/a";
  refused(options, Error::Kind::kUsage, "a");
  options = options_;
  options.model = "/proc/model";
  refused(options, Error::Kind::kNotFound, "/proc");
  options = options_;
  options.model = folder_ / "model.txt";
  refused(options, Error::Kind::kUsage, "model.txt");
  options = options_;
  options.lr = -1;
  refused(options, Error::Kind::kUsage, "lr");
  options = options_;
  options.device = "cuda:99";
  EXPECT_FALSE(train(options).ok());
}

TEST_F(Trainer, AutoWithoutTimeForMoreIsTheHead) {
  test::photo_file(folder_ / "data/val/a/odd.png", test::coloured_photo(2, 500));  // so that the head cannot be right on all
  options_.scope = Scope::kAuto;
  options_.time_budget_s = 1e-3;
  const auto report = train(options_);
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(report->best_stage, "head");
  EXPECT_TRUE(report->epochs.empty());
}

TEST_F(Trainer, AutoWithTimeGoesOnToEveryLayer) {
  test::photo_file(folder_ / "data/val/a/odd.png", test::coloured_photo(2, 500));
  options_.scope = Scope::kAuto;
  const auto report = train(options_);
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_EQ(report->epochs.size(), 2U);
}

TEST_F(Trainer, MixingSmoothingAndClassWeightsWork) {
  options_.scope = Scope::kFull;
  options_.mixup = 0.4;
  options_.cutmix = 1;
  options_.class_weights = ClassWeights::kBalanced;
  options_.augment = AugmentLevel::kStrong;
  options_.ema_decay = 0;
  options_.clip_norm = 0;
  const auto report = train(options_);
  ASSERT_TRUE(report.ok()) << report.error().message;
}

TEST_F(Trainer, ALabelThatTheModelDoesNotKnowIsCountedByEvaluate) {
  ASSERT_TRUE(train(options_).ok());
  test::photo_file(folder_ / "data/val/zebra/1.png", test::coloured_photo(1, 901));
  const auto evaluation = evaluate(folder_ / "model.safetensors", options_.data);
  ASSERT_TRUE(evaluation.ok()) << evaluation.error().message;
  EXPECT_EQ(evaluation->unknown_photos, 1);
  EXPECT_EQ(evaluation->unknown_labels, std::vector<std::string>{"zebra"});
  EXPECT_EQ(evaluation->photos, 12);
}

}  // namespace
}  // namespace fovea
