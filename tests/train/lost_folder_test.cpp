// A drive, or share, that goes away while its photos are read: one reason, no photo counted as bad, and what was done is kept.
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <utility>

#include "fovea/check.h"
#include "fovea/evaluate.h"
#include "train/tiny_data.h"

namespace fovea {
namespace {

namespace fs = std::filesystem;
using test::bytes_of;
using testing::HasSubstr;

/// Moves a folder away at the n-th thing it is told.
class Thief final : public TrainObserver {
 public:
  Thief(int after, fs::path folder) : left_(after), folder_(std::move(folder)) {}
  void on_stage_started(std::string_view) override { told(); }
  void on_progress(const Progress&) override { told(); }
  void on_epoch(const EpochReport&) override { told(); }
  void on_skipped(const SkippedPhoto& photo) override { skipped.push_back(photo); }
  [[nodiscard]] bool struck() const { return left_ <= 0; }
  void give_back() const { fs::rename(away(), folder_); }
  std::vector<SkippedPhoto> skipped;

 private:
  [[nodiscard]] fs::path away() const { return folder_.string() + "-away"; }
  void told() {
    if (--left_ == 0) fs::rename(folder_, away());
  }
  int left_;
  fs::path folder_;
};

class LostFolder : public testing::Test {
 protected:
  void SetUp() override {
    options_ = test::prepare_tiny_run(folder_);
    options_.checkpoint_interval_s = 0;
  }
  /// The photos of a split become files that can be named and opened, and not read.
  void spoil(const std::string& split, int count) const {
    std::vector<fs::path> photos;
    for (const auto& entry : fs::recursive_directory_iterator(options_.data / split)) {
      if (entry.is_regular_file()) photos.push_back(entry.path());
    }
    photos.resize(static_cast<std::size_t>(count));
    for (const fs::path& photo : photos) {
      fs::remove(photo);
      fs::create_symlink("/proc/self/mem", photo);
    }
  }
  test::TemporaryFolder folder_;
  TrainOptions options_;
};

TEST_F(LostFolder, EndsATrainingThatGoesOnToTheSameBytesLater) {
  options_.scope = Scope::kFull;
  ASSERT_TRUE(train(options_).ok());
  const std::string expected = bytes_of(folder_ / "model.safetensors");
  int with_model = 0;
  int without = 0;
  for (int after = 2; after < 40; after += 3) {
    Thief thief(after, options_.data);
    options_.resume = false;
    const auto first = train(options_, &thief);
    if (!thief.struck()) break;
    thief.give_back();
    EXPECT_TRUE(thief.skipped.empty()) << after << ": " << thief.skipped.front().reason;
    // Pixels of photos that were kept in memory may be all that was still needed.
    if (first.ok() && !first->stopped) continue;
    const std::string said = first.ok() ? first->lost_folder : first.error().message;
    EXPECT_THAT(said, HasSubstr(options_.data.string() + ": No such file or directory; stopped: the same command with --resume"));
    ++(first.ok() ? with_model : without);
    options_.resume = true;
    const auto second = train(options_);
    ASSERT_TRUE(second.ok()) << second.error().message;
    EXPECT_TRUE(second->lost_folder.empty());
    EXPECT_EQ(bytes_of(folder_ / "model.safetensors"), expected) << after;
  }
  EXPECT_GT(with_model, 0);
  EXPECT_GT(without, 0);
}

TEST_F(LostFolder, OfACsvIsNoticedAsWell) {
  std::string csv = "path,label\n";
  for (const char* label : {"a", "b", "c"}) {
    for (int n = 0; n < 8; ++n) csv += "data/train/" + std::string(label) + "/" + std::to_string(n) + ".png," + label + "\n";
  }
  test::text_file(folder_ / "photos.csv", csv);
  Thief thief(2, options_.data);
  options_.data = folder_ / "photos.csv";
  const auto report = train(options_, &thief);
  ASSERT_FALSE(report.ok());
  EXPECT_THAT(report.error().message, HasSubstr("No such file or directory; stopped"));
}

TEST_F(LostFolder, OfAFailingDriveIsNotedByPhotosInARow) {
  spoil("train", 24);
  const auto report = train(options_);
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error().kind, Error::Kind::kIo);
  EXPECT_THAT(report.error().message, HasSubstr("8 photos one after another cannot be read (Input/output error); stopped"));
}

TEST_F(LostFolder, EndsValAndCheck) {
  ASSERT_TRUE(train(options_).ok());
  {
    Thief thief(1, options_.data);
    const auto result = evaluate(folder_ / "model.safetensors", options_.data, {.threads = 1}, &thief);
    ASSERT_FALSE(result.ok());
    EXPECT_THAT(result.error().message, HasSubstr("No such file or directory; stopped: val again"));
    thief.give_back();
  }
  spoil("val", 7);
  const auto bad_spots = evaluate(folder_ / "model.safetensors", options_.data, {.threads = 1});
  ASSERT_TRUE(bad_spots.ok()) << bad_spots.error().message;
  EXPECT_EQ(bad_spots->skipped.size(), 7U);
  spoil("val", 12);
  const auto result = evaluate(folder_ / "model.safetensors", options_.data, {.threads = 1});
  ASSERT_FALSE(result.ok());
  EXPECT_THAT(result.error().message, HasSubstr("cannot be read (Input/output error); stopped: val again"));
  for (const bool network : {false, true}) {
    CheckOptions options{
        .data = options_.data, .network = network, .arch = options_.arch, .weights = options_.weights, .threads = 1};
    const auto checked = check(options);
    ASSERT_FALSE(checked.ok());
    EXPECT_THAT(checked.error().message, HasSubstr("cannot be read (Input/output error); stopped: check again"));
  }
}

}  // namespace
}  // namespace fovea
