// SPDX-License-Identifier: Apache-2.0
//
// A week at speed, with everything that can happen to a camera, a clock, a disk, a model and a broker: no time of the schedule is
// lost silently, and neither memory nor descriptors grow.
#include <gtest/gtest.h>
#include <malloc.h>
#include <sys/resource.h>

#include <csignal>
#include <filesystem>

#include "core/error.h"
#include "image/decode.h"
#include "support/paths.h"
#include "watch/mqtt.h"
#include "watch/pictures.h"
#include "watch/summary.h"
#include "watch/watcher.h"

namespace fovea::watching {
namespace {

using namespace std::chrono;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

constexpr seconds kEvery = 600s;
constexpr int kSlotsOfAWeek = 1008;
// In central Europe the clocks go back at 01:00 UTC on the fourth day.
constexpr sys_seconds kStart = sys_days(2026y / October / 22);
constexpr sys_seconds kWinter = sys_days(2026y / October / 25) + 1h;
// SQLite may fill its page cache (src/watch/store.cpp sets its size) before memory stands still.
constexpr double kPageCache = 512 * 1024;

/// A disk on which nothing more fits while this lives.
class FullDisk {
 public:
  FullDisk() {
    ::signal(SIGXFSZ, SIG_IGN);
    ::getrlimit(RLIMIT_FSIZE, &before_);
    rlimit none = before_;
    none.rlim_cur = 1;
    EXPECT_EQ(::setrlimit(RLIMIT_FSIZE, &none), 0);
  }
  FullDisk(const FullDisk&) = delete;
  FullDisk& operator=(const FullDisk&) = delete;
  ~FullDisk() { EXPECT_EQ(::setrlimit(RLIMIT_FSIZE, &before_), 0); }

 private:
  rlimit before_{};
};

/// The world: two clocks, a camera, a disk, a model file. It counts the times of the schedule that really come.
class World final : public Clock, public Source, public Judge {
 public:
  World(sys_seconds start, std::atomic<bool>& stop, std::atomic<bool>& reload)
      : wall_(start), high_(start - 1s), stop_(stop), reload_(reload), picture_(picture_of(160, 120, 90)) {
    pass(0s);
  }

  WallTime now() override { return wall_; }
  milliseconds elapsed() override { return elapsed_; }
  void sleep(milliseconds wait) override {
    pass(wait);
    script();
  }
  seconds utc_offset(sys_seconds time) override { return time < kWinter ? 2h : 1h; }

  /// Faults come by the number of the picture, each kind many times in a week.
  Result<Picture> take(milliseconds limit) override {
    const int n = pictures_++;
    pass(1300ms);
    if (n % 100 >= 40 && n % 100 < 46) return fail(Error::Kind::kIo, "/dev/video0: No such device");
    if (n % 50 == 20) {
      pass(limit);
      return fail(Error::Kind::kIo, "the camera gave no picture within {} ms", limit.count());
    }
    if (n % 70 == 3) return Picture(picture_.begin(), picture_.begin() + 300);  // half a file
    if (n % 70 == 4) return Picture(500, std::byte{'x'});                       // no picture at all
    if (n % 300 == 150) pass(47min);                                            // the machine slept
    return picture_;
  }

  Result<Answer> classify(std::span<const std::byte> picture) override {
    const Result<Image> image = decode_image(picture);
    if (!image) return image.error();
    return Answer{.predictions = {{"clear", 0.7}, {"cloudy", 0.3}}, .rejected = pictures_ % 9 == 0};
  }
  Result<void> reload() override {
    if (++reloads_ % 2 == 0) return fail(Error::Kind::kFormat, "weather.safetensors: is cut short");
    return {};
  }

  [[nodiscard]] std::int64_t came() const { return came_; }

 private:
  /// Time goes by on both clocks.
  void pass(milliseconds span) {
    const WallTime end = wall_ + span;
    auto grid = sys_seconds(kEvery * (floor<seconds>(wall_).time_since_epoch() / kEvery));
    for (; grid <= end; grid += kEvery) {
      if (grid <= high_ || grid < wall_) continue;
      high_ = grid;
      ++came_;
    }
    wall_ = end;
    elapsed_ += span;
  }

  void set_clock(milliseconds by) {
    wall_ += by;
    // A clock that was wrong by a step or more makes its times come again; a smaller correction does not.
    if (by <= -kEvery) high_ = floor<seconds>(wall_);
    if (by > 0ms) high_ = std::max(high_, ceil<seconds>(wall_) - 1s);
  }

  /// What happens at its hour. The clock is never set to less than 10 s after a time of the schedule: whether such a time has
  /// come cannot be known.
  void script() {
    const auto hour = duration_cast<hours>(elapsed_).count();
    if (hour == last_hour_) return;
    last_hour_ = hour;
    const auto hour_of_week = hour % 168;
    if (hour_of_week == 20) set_clock(1h + 4min);
    if (hour_of_week == 50) set_clock(-1h - 3s);
    if (hour_of_week == 70) set_clock(-50s);
    if (hour_of_week == 71) set_clock(5s);
    if (hour_of_week == 100) full_.emplace();
    if (hour_of_week == 115) full_.reset();
    if (hour_of_week % 30 == 7) reload_ = true;
  }

  WallTime wall_;
  milliseconds elapsed_{0};
  sys_seconds high_;
  std::int64_t came_ = 0;
  std::int64_t last_hour_ = 0;
  int pictures_ = 0;
  int reloads_ = 0;
  std::optional<FullDisk> full_;
  std::atomic<bool>& stop_;
  std::atomic<bool>& reload_;
  Picture picture_;

 public:
  /// Ends with the week in which `slots` times have come.
  void stop_after(std::int64_t slots) {
    if (came_ >= slots) stop_ = true;
  }
};

std::size_t descriptors() {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator("/proc/self/fd"), fs::directory_iterator()));
}

struct Told final : WatchObserver {
  explicit Told(World& the_world) : world(the_world) {}
  void on_record(const WatchRecord& record) override {
    ++records;
    faults += record.state == SlotState::kFault ? 1 : 0;
    if (records % 700 == 0) {
      heap.push_back(static_cast<double>(mallinfo2().uordblks));
      open_files.push_back(descriptors());
    }
    world.stop_after(end);
  }
  void on_gap(const WatchGap& gap) override { missed += gap.slots; }
  void on_warning(std::string_view text) override { warnings.emplace_back(text); }

  World& world;
  std::int64_t end = 0;
  std::int64_t records = 0;
  std::int64_t faults = 0;
  std::int64_t missed = 0;
  std::vector<double> heap;
  std::vector<std::size_t> open_files;
  std::vector<std::string> warnings;
};

/// In memory where the system has such a folder: the week is about order, not about flushing disks.
fs::path fast_folder(const test::TemporaryFolder& other) {
  std::string name = "/dev/shm/fovea-week-XXXXXX";
  return ::mkdtemp(name.data()) == nullptr ? other.path() : fs::path(name);
}

class Week : public testing::Test {
 protected:
  ~Week() override { fs::remove_all(folder); }

  test::TemporaryFolder temporary;
  fs::path folder = fast_folder(temporary);
};

TEST_F(Week, NothingIsLostSilentlyAndNothingGrows) {
  constexpr int kWeeks = 3;
  std::atomic<bool> stop{false};
  std::atomic<bool> reload{false};
  WatchOptions options;
  options.database = folder / "w.db";
  options.every = kEvery;
  options.stop = &stop;
  options.reload = &reload;
  options.most_bytes = 200'000;
  World world(kStart, stop, reload);
  Journal journal([&] { return Store::open(options.database); }, 60);
  const PhotoKeeper photos(folder / "photos", options.keep, options.most_bytes);
  MqttOptions nobody;
  nobody.host = "127.0.0.1";
  nobody.port = 1;  // refuses at once
  const auto sink = mqtt_sink(nobody, 10ms);
  ASSERT_TRUE(sink.ok());
  Told told(world);
  told.end = std::int64_t{kWeeks} * kSlotsOfAWeek;
  WatchParts parts{world, world, world, journal, photos, sink->get(), &told};
  const auto totals = Watcher(options, parts).run();
  ASSERT_TRUE(totals.ok());
  ASSERT_EQ(journal.waiting(), 0U);

  auto store = Store::open(options.database);
  ASSERT_TRUE(store.ok());
  Summary all;
  const std::vector<Summary> each_day = days_of(*store).value();
  for (const Summary& day : each_day) all.add(day);
  const std::int64_t rows = all.classified() + all.unknown + all.night + all.faults;
  EXPECT_EQ(rows + all.missed, world.came()) << rows << " rows, " << all.missed << " in gaps";
  // What was told is what is there: a record that was given up later is in a gap.
  EXPECT_EQ(rows + totals->not_stored, told.records);
  EXPECT_EQ(all.missed, told.missed + totals->not_stored);
  EXPECT_EQ(totals->classified + totals->faults, told.records);

  // Each kind of fault did happen.
  EXPECT_GT(all.faults, 100);
  EXPECT_GT(told.missed, 10);
  EXPECT_GT(totals->not_stored, 0);
  EXPECT_GT(totals->photos_not_kept, 0);
  EXPECT_GT(totals->photos_removed, 0);
  EXPECT_GT(totals->reloads, 0);
  EXPECT_GT(totals->messages_not_sent, 2000);
  EXPECT_FALSE(told.warnings.empty());

  ASSERT_GE(told.heap.size(), 2U);
  EXPECT_LT(told.heap.back() - told.heap.front(), kPageCache);
  EXPECT_EQ(told.open_files.back(), told.open_files.front());
  std::printf("%lld times came: %lld rows, %lld in gaps; heap after each 700 records:", static_cast<long long>(world.came()),
              static_cast<long long>(rows), static_cast<long long>(all.missed));
  for (const double bytes : told.heap) std::printf(" %.0f kB", bytes / 1024);
  std::printf("; descriptors %zu to %zu\n", told.open_files.front(), told.open_files.back());
}

}  // namespace
}  // namespace fovea::watching
