// SPDX-License-Identifier: Apache-2.0
#include "watch/watcher.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "support/paths.h"
#include "watch/pictures.h"

namespace fovea::watching {
namespace {

using namespace std::chrono_literals;
using test::TemporaryFolder;

/// Time passes only in sleep(); the stop flag is set at `end`.
class FakeClock final : public Clock {
 public:
  FakeClock(std::chrono::sys_seconds start, std::chrono::seconds length, std::atomic<bool>& stop)
      : start_(start), length_(length), stop_(stop) {}
  WallTime now() override { return start_ + passed_; }
  std::chrono::milliseconds elapsed() override { return passed_; }
  void sleep(std::chrono::milliseconds wait) override {
    passed_ += wait;
    if (passed_ >= length_) stop_ = true;
  }
  std::chrono::seconds utc_offset(std::chrono::sys_seconds /*time*/) override { return 1h; }

 private:
  std::chrono::sys_seconds start_;
  std::chrono::milliseconds length_;
  std::atomic<bool>& stop_;
  std::chrono::milliseconds passed_{0};
};

class FakeSource final : public Source {
 public:
  Result<Picture> take(std::chrono::milliseconds /*limit*/) override {
    ++taken;
    if (unplugged) return fail(Error::Kind::kIo, "unplugged");
    return picture_of(64, 48, 90);
  }
  int taken = 0;
  bool unplugged = false;
};

class FakeJudge final : public Judge {
 public:
  Result<Answer> classify(std::span<const std::byte> picture) override {
    if (picture.size() < 100) return fail(Error::Kind::kFormat, "broken");
    return Answer{.predictions = {{label, 0.8}, {"other", 0.2}}};
  }
  Result<void> reload() override {
    if (next.empty()) return fail(Error::Kind::kFormat, "no model");
    label = next;
    return {};
  }
  std::string label = "clear";
  std::string next;
};

struct Seen final : WatchObserver {
  void on_record(const WatchRecord& record) override { records.push_back(record); }
  void on_warning(std::string_view text) override { warnings.emplace_back(text); }
  std::vector<WatchRecord> records;
  std::vector<std::string> warnings;
};

class WatcherTest : public testing::Test {
 protected:
  WatchTotals run(std::chrono::sys_seconds start, std::chrono::seconds length) {
    stop = false;
    options.stop = &stop;
    FakeClock clock(start, length, stop);
    Journal journal([this] { return Store::open(folder / "w.db"); });
    const PhotoKeeper photos(folder / "photos", options.keep, options.most_bytes);
    WatchParts parts{clock, source, judge, journal, photos};
    parts.observer = &seen;
    auto totals = Watcher(options, parts).run();
    EXPECT_TRUE(totals.ok());
    return *totals;
  }

  TemporaryFolder folder;
  WatchOptions options;
  std::atomic<bool> stop{false};
  FakeSource source;
  FakeJudge judge;
  Seen seen;
};

TEST_F(WatcherTest, EveryTimeHasItsPicture) {
  options.keep = KeepPhotos::kThumbnails;
  const WatchTotals totals = run(time_of(0), 4h);
  EXPECT_EQ(totals.classified, 24);
  EXPECT_EQ(totals.missed, 0);
  auto store = Store::open(folder / "w.db");
  const auto records = all_of(*store);
  ASSERT_EQ(records.size(), 24U);
  for (std::size_t i = 0; i < records.size(); ++i) EXPECT_EQ(records[i].time, time_of(static_cast<std::int64_t>(i)));
  EXPECT_EQ(records[5].predictions[0].label, "clear");
  EXPECT_TRUE(std::filesystem::exists(records[5].photo));
}

TEST_F(WatcherTest, NightIsNightAndTakesNoPicture) {
  options.place = Place{48.1, 11.6};
  options.keep = KeepPhotos::kNone;
  options.every = 1800s;
  const WatchTotals totals = run(time_of(0), 24h);
  EXPECT_EQ(totals.classified + totals.night, 48);
  EXPECT_EQ(source.taken, totals.classified);
  // Near the equinox: some 12 hours of day and twice half an hour of civil twilight.
  EXPECT_NEAR(static_cast<double>(totals.classified), 13 * 2, 2);
  for (const WatchRecord& r : seen.records) {
    ASSERT_TRUE(r.sun);
    EXPECT_EQ(r.state == SlotState::kNight, *r.sun < -6);
    EXPECT_EQ(r.predictions.empty(), r.state == SlotState::kNight);
  }
}

TEST_F(WatcherTest, AnUnpluggedCameraIsAFaultAtEveryTime) {
  source.unplugged = true;
  EXPECT_EQ(run(time_of(0), 1h).faults, 6);
  source.unplugged = false;
  EXPECT_EQ(run(time_of(6), 1h).classified, 6);
  auto store = Store::open(folder / "w.db");
  EXPECT_EQ(all_of(*store)[0].fault, "unplugged");
}

TEST_F(WatcherTest, WhatPassedBetweenRunsIsMissed) {
  run(time_of(0), 1h);
  const WatchTotals totals = run(time_of(10), 1h);
  EXPECT_EQ(totals.missed, 4);
  EXPECT_EQ(totals.classified, 6);
}

TEST_F(WatcherTest, OnceIsOnePictureNow) {
  options.once = true;
  EXPECT_EQ(run(time_of(0) + 77s, 1h).classified, 1);
  EXPECT_EQ(seen.records.at(0).time, time_of(0) + 77s);
}

TEST_F(WatcherTest, AReloadedModelIsUsedAndABrokenOneIsNot) {
  std::atomic<bool> reload{true};
  options.reload = &reload;
  EXPECT_EQ(run(time_of(0), 1s).reloads, 0);
  EXPECT_FALSE(reload);
  ASSERT_FALSE(seen.warnings.empty());
  EXPECT_EQ(seen.records.back().predictions[0].label, "clear");
  reload = true;
  judge.next = "cloudy";
  EXPECT_EQ(run(time_of(1), 1s).reloads, 1);
  EXPECT_EQ(seen.records.back().predictions[0].label, "cloudy");
}

TEST_F(WatcherTest, PhotosStayBelowTheirCeiling) {
  options.keep = KeepPhotos::kAll;
  options.most_bytes = 3000;
  const WatchTotals totals = run(time_of(0), 4h);
  EXPECT_GT(totals.photos_removed, 0);
  std::uintmax_t bytes = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder / "photos")) {
    if (entry.is_regular_file()) bytes += entry.file_size();
  }
  EXPECT_LE(bytes, 3000U);
  EXPECT_GT(bytes, 0U);
}

}  // namespace
}  // namespace fovea::watching
