// A run that is stopped anywhere and taken up again ends with the bytes of one that was not.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <ostream>

#include "train/tiny_data.h"

namespace fovea {
namespace {

namespace fs = std::filesystem;

using test::bytes_of;

/// Asks for a stop at the n-th thing it is told.
class Stopper final : public TrainObserver {
 public:
  explicit Stopper(int after) : left_(after) {}
  void on_stage_started(std::string_view) override { told(); }
  void on_progress(const Progress&) override { told(); }
  void on_epoch(const EpochReport&) override { told(); }
  void on_note(std::string_view text) override { notes.emplace_back(text); }
  [[nodiscard]] const std::atomic<bool>* stop() const { return &stop_; }
  std::vector<std::string> notes;

 private:
  void told() {
    if (--left_ == 0) stop_ = true;
  }
  int left_;
  std::atomic<bool> stop_{false};
};

struct Case {
  const char* name;
  Scope scope;
  bool multi_label = false;
  BatchNormMode batchnorm = BatchNormMode::kAuto;
  friend void PrintTo(const Case& run, std::ostream* out) { *out << run.name; }
};

class Resume : public testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    options_ = test::prepare_tiny_run(folder_);
    options_.scope = GetParam().scope;
    options_.multi_label = GetParam().multi_label;
    options_.batchnorm = GetParam().batchnorm;
    options_.checkpoint_interval_s = 0;
    options_.epochs = 3;
  }
  [[nodiscard]] fs::path checkpoint() const { return folder_ / "model.run" / "checkpoint"; }
  std::pair<std::string, std::string> result() const {
    return {bytes_of(folder_ / "model.safetensors"), bytes_of(folder_ / "model.run" / "metrics.jsonl")};
  }
  test::TemporaryFolder folder_;
  TrainOptions options_;
};

TEST_P(Resume, EndsWithTheBytesOfAnUninterruptedRunWhereverItWasStopped) {
  ASSERT_TRUE(train(options_).ok());
  EXPECT_FALSE(fs::exists(checkpoint()));
  const auto expected = result();
  int stops = 0;
  for (int after = 2; after < 60; after += 7) {
    options_.resume = false;
    Stopper stopper(after);
    options_.stop = stopper.stop();
    const auto first = train(options_, &stopper);
    if (!fs::exists(checkpoint())) break;  // it ended before it could be stopped
    ++stops;
    EXPECT_TRUE(first.ok() ? first->stopped : first.error().kind == Error::Kind::kCancelled);
    options_.resume = true;
    options_.stop = nullptr;
    const auto second = train(options_);
    ASSERT_TRUE(second.ok()) << second.error().message;
    EXPECT_FALSE(second->stopped);
    EXPECT_EQ(result(), expected) << "stopped after " << after;
    EXPECT_FALSE(fs::exists(checkpoint()));
  }
  EXPECT_GE(stops, 1);
}

TEST_P(Resume, WithoutAnInterruptedRunStartsFromTheBeginningAndSaysSo) {
  options_.resume = true;
  Stopper listener(-1);
  ASSERT_TRUE(train(options_, &listener).ok());
  EXPECT_NE(std::ranges::find_if(listener.notes, [](const auto& note) { return note.starts_with("nothing was interrupted"); }),
            listener.notes.end());
}

TEST_P(Resume, OtherOptionsAreRefused) {
  Stopper stopper(4);
  options_.stop = stopper.stop();
  (void)train(options_, &stopper);
  ASSERT_TRUE(fs::exists(checkpoint()));
  options_.stop = nullptr;
  options_.resume = true;
  options_.lr = 0.123;
  const auto report = train(options_);
  ASSERT_FALSE(report.ok());
  EXPECT_NE(report.error().message.find("lr 'chosen', this one has '0.123'"), std::string::npos) << report.error().message;
  options_.lr.reset();
  options_.reject_rate = 0.25;
  const auto other_rate = train(options_);
  ASSERT_FALSE(other_rate.ok());
  EXPECT_NE(other_rate.error().message.find("reject-rate '0.05', this one has '0.25'"), std::string::npos)
      << other_rate.error().message;
}

INSTANTIATE_TEST_SUITE_P(Scopes, Resume,
                         testing::Values(Case{"head", Scope::kHead}, Case{"tail", Scope::kTail}, Case{"full", Scope::kFull},
                                         Case{"full_of_label_sets", Scope::kFull, true},
                                         Case{"full_with_live_statistics", Scope::kFull, false, BatchNormMode::kLive}),
                         [](const auto& run) { return run.param.name; });

}  // namespace
}  // namespace fovea
