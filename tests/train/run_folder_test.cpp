// What a training may not cost a person: files beside it, an earlier model, a night's work at the end of which the disk is full.
// SPDX-License-Identifier: Apache-2.0
#include "train/run_folder.h"

#include <gtest/gtest.h>

#include <fstream>
#include <functional>

#include "core/file.h"
#include "train/tiny_data.h"

namespace fovea {
namespace {

namespace fs = std::filesystem;

using test::bytes_of;

/// Does something at a moment of a training, and listens to what is said.
struct Meddler final : TrainObserver {
  void on_first_model(const FirstModel&) override {
    if (at_first_model) at_first_model();
  }
  void on_epoch(const EpochReport& epoch) override {
    if (at_epoch) at_epoch(epoch.epoch);
  }
  void on_note(std::string_view text) override { said += std::string(text) + '\n'; }
  void on_warning(std::string_view text) override { said += std::string(text) + '\n'; }
  [[nodiscard]] bool heard(const std::string& part) const { return said.find(part) != std::string::npos; }
  std::function<void()> at_first_model;
  std::function<void(int)> at_epoch;
  std::string said;
};

void write(const fs::path& path, const std::string& text) {
  fs::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << text;
}

class RunFolder : public testing::Test {
 protected:
  void SetUp() override {
    options_ = test::prepare_tiny_run(folder_);
    options_.model = folder_ / "out" / "model";
    model_ = folder_ / "out" / "model.safetensors";
  }
  /// The error of a training that is to be refused.
  std::string refused() {
    const auto report = train(options_);
    EXPECT_FALSE(report.ok());
    return report.ok() ? "" : report.error().message;
  }
  test::TemporaryFolder folder_;
  TrainOptions options_;
  fs::path model_;
};

TEST_F(RunFolder, SomebodyElsesIsRefusedAndLeftAsItIs) {
  for (const char* name : {"log.txt", "metrics.jsonl", "checkpoint/weights.pt"}) {
    options_.run_folder = folder_ / "project";
    fs::remove_all(options_.run_folder);
    write(options_.run_folder / name, "precious");
    EXPECT_NE(refused().find("not of a training run"), std::string::npos) << name;
    EXPECT_EQ(bytes_of(options_.run_folder / name), "precious");
    EXPECT_FALSE(fs::exists(model_));
  }
}

TEST_F(RunFolder, AnEarlierRunOfOursIsTakenAgain) {
  ASSERT_TRUE(train(options_).ok());
  write(folder_ / "out" / "model.run" / "checkpoint" / "run.json.part-abcdef", "{");  // killed as it began
  const auto again = train(options_);
  EXPECT_TRUE(again.ok()) << again.error().message;
}

TEST_F(RunFolder, ASecondTrainingAtTheSameTimeIsRefused) {
  Meddler meddler;
  std::string second;
  meddler.at_first_model = [&] { second = refused(); };
  ASSERT_TRUE(train(options_, &meddler).ok());
  EXPECT_NE(second.find("another training is at work"), std::string::npos) << second;
  EXPECT_TRUE(train(options_).ok());
}

TEST_F(RunFolder, ASecondTrainingOfTheSameModelIsRefusedWhereverItsFolder) {
  fs::create_directories(model_.parent_path());
  fs::create_symlink(model_, folder_ / "same.safetensors");
  TrainOptions another = options_;
  another.run_folder = folder_ / "another";
  TrainOptions by_link = another;
  by_link.model = folder_ / "same";
  Meddler meddler;
  std::string said;
  meddler.at_first_model = [&] {
    for (const TrainOptions& options : {another, by_link}) {
      const auto second = train(options);
      said = second.ok() ? "it trained" : second.error().message;
      EXPECT_NE(said.find("another training is to write this model"), std::string::npos) << said;
    }
  };
  ASSERT_TRUE(train(options_, &meddler).ok());
  EXPECT_FALSE(said.empty());
  EXPECT_FALSE(fs::exists(folder_ / "out" / ".model.safetensors.lock"));
  EXPECT_TRUE(train(another).ok());
}

TEST_F(RunFolder, WhatKilledRunsBeganIsRemoved) {
  const fs::path part = model_.string() + ".part-aB3xYz";
  const fs::path others = model_.string() + ".part-of-mine";
  write(part, "half a model");
  write(others, "precious");
  ASSERT_TRUE(train(options_).ok());
  EXPECT_FALSE(fs::exists(part));
  EXPECT_EQ(bytes_of(others), "precious");
}

TEST_F(RunFolder, AFinishedModelStaysBesideTheNext) {
  const fs::path old = folder_ / "out" / "model.old.safetensors";
  ASSERT_TRUE(train(options_).ok());
  EXPECT_FALSE(fs::exists(old));
  const std::string first = bytes_of(model_);
  // Interrupted twice: the finished model is what is kept, not what the first attempt left.
  for (int attempt = 0; attempt < 2; ++attempt) {
    options_.seed = 7;
    std::atomic<bool> stop{false};
    options_.stop = &stop;
    Meddler meddler;
    meddler.at_first_model = [&] { stop = true; };
    (void)train(options_, &meddler);
    EXPECT_EQ(meddler.heard("is kept as " + old.string()), attempt == 0) << meddler.said;
    EXPECT_EQ(bytes_of(old), first);
  }
  EXPECT_NE(bytes_of(model_), first);
}

TEST_F(RunFolder, TheModelIsNotWrittenOverItsWeights) {
  options_.model = options_.weights;
  const std::string before = bytes_of(options_.weights);
  EXPECT_NE(refused().find("is what --weights reads"), std::string::npos);
  EXPECT_EQ(bytes_of(options_.weights), before);
}

TEST_F(RunFolder, APageThatIsNoReportStays) {
  write(folder_ / "out" / "model.html", "<!doctype html><title>My site</title>");
  Meddler meddler;
  const auto report = train(options_, &meddler);
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_TRUE(report->html.empty());
  EXPECT_TRUE(meddler.heard("so it stays")) << meddler.said;
  EXPECT_EQ(bytes_of(folder_ / "out" / "model.html"), "<!doctype html><title>My site</title>");
}

/// A model's folder that cannot be written meanwhile: a full disk, a share that is away.
class Away : public RunFolder {
 protected:
  void SetUp() override {
    RunFolder::SetUp();
    options_.run_folder = folder_ / "run";
    options_.scope = Scope::kFull;
    options_.epochs = 2;
    ::setenv("TMPDIR", folder_.path().c_str(), 1);
  }
  void TearDown() override { ::unsetenv("TMPDIR"); }
  void leave() {
    fs::rename(folder_ / "out", folder_ / "away");
    write(folder_ / "out", "no folder");
  }
  void come_back() {
    fs::remove(folder_ / "out");
    fs::rename(folder_ / "away", folder_ / "out");
  }
};

TEST_F(Away, ForAWhileIsToldAndTheModelIsWrittenInTheEnd) {
  Meddler meddler;
  meddler.at_first_model = [&] { leave(); };
  meddler.at_epoch = [&](int epoch) {
    if (epoch == 2) come_back();
  };
  const auto report = train(options_, &meddler);
  ASSERT_TRUE(report.ok()) << report.error().message;
  EXPECT_TRUE(meddler.heard("training goes on")) << meddler.said;
  EXPECT_TRUE(fs::exists(model_));
}

TEST_F(Away, ForGoodLeavesTheModelAmongTemporaryFiles) {
  Meddler meddler;
  meddler.at_first_model = [&] { leave(); };
  const auto report = train(options_, &meddler);
  ASSERT_FALSE(report.ok());
  EXPECT_NE(report.error().message.find("the finished model is in " + (folder_ / "model.safetensors").string()),
            std::string::npos)
      << report.error().message;
  const std::string rescued = bytes_of(folder_ / "model.safetensors");
  come_back();
  ASSERT_TRUE(train(options_).ok());
  EXPECT_EQ(rescued, bytes_of(model_));
}

}  // namespace
}  // namespace fovea
