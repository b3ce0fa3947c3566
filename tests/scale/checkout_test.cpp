// SPDX-License-Identifier: Apache-2.0
#include "scale/checkout.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <thread>

#include "core/error.h"
#include "image/decode.h"
#include "support/paths.h"

namespace fovea::checkout {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;
using test::TemporaryFolder;
using testing::ElementsAre;

/// A grey table with a square of some colour on it; level 0: nothing.
Image table(std::uint8_t red) {
  Image image(160, 120);
  std::ranges::fill(image.pixels, std::uint8_t{120});
  if (red == 0) return image;
  for (int y = 40; y < 80; ++y) {
    for (int x = 60; x < 100; ++x) image.row(y)[3 * x] = red;
  }
  return image;
}

/// What a test shows, at a hundred pictures a second.
struct Show {
  std::mutex mutex;
  std::optional<Image> picture = table(0);  ///< none: the camera is unplugged
  bool ended = false;

  void put(std::optional<Image> image) {
    const std::lock_guard lock(mutex);
    picture = std::move(image);
  }
  void end() {
    const std::lock_guard lock(mutex);
    ended = true;
  }
};

class ShownStream final : public video::Stream {
 public:
  explicit ShownStream(Show& show) : show_(show) {}
  Result<std::optional<Image>> next() override {
    std::this_thread::sleep_for(10ms);
    const std::lock_guard lock(show_.mutex);
    if (show_.ended) return std::optional<Image>();
    if (!show_.picture) return fail(Error::Kind::kIo, "unplugged");
    return show_.picture;
  }

 private:
  Show& show_;
};

/// Red is Tomato, dark red Plum, and the brightest red unknown.
class ColourJudge final : public Judge {
 public:
  Result<Answer> classify(const Image& picture) override {
    const int red = picture.row(60)[3 * 80];
    if (red == 13) return fail(Error::Kind::kFormat, "broken");
    Answer answer;
    answer.predictions = red > 150 ? std::vector<Prediction>{{"Tomato", 0.9}, {"Plum", 0.1}}
                                   : std::vector<Prediction>{{"Plum", 0.6}, {"Tomato", 0.4}};
    answer.rejected = red == 255;
    return answer;
  }
  [[nodiscard]] const std::vector<std::string>& classes() const override { return classes_; }
  Result<void> reload() override {
    if (!reloads) return fail(Error::Kind::kFormat, "no model");
    return {};
  }
  std::atomic<bool> reloads{true};

 private:
  std::vector<std::string> classes_ = {"Plum", "Tomato"};
};

struct Heard final : ScaleObserver {
  bool on_reading(const ScaleReading& reading) override {
    const std::lock_guard lock(mutex);
    readings.push_back(reading);
    return true;
  }
  bool on_choice(const ScaleChoice& choice) override {
    const std::lock_guard lock(mutex);
    choices.push_back(choice);
    return true;
  }
  void on_note(std::string_view text) override { add(text); }
  void on_warning(std::string_view text) override { add(text); }
  void add(std::string_view text) {
    const std::lock_guard lock(mutex);
    said.emplace_back(text);
  }
  ScaleReading last() {
    const std::lock_guard lock(mutex);
    return readings.empty() ? ScaleReading{} : readings.back();
  }
  bool has_said(const std::string& part) {
    const std::lock_guard lock(mutex);
    return std::ranges::any_of(said, [&](const std::string& text) { return text.find(part) != std::string::npos; });
  }
  std::mutex mutex;
  std::vector<ScaleReading> readings;
  std::vector<ScaleChoice> choices;
  std::vector<std::string> said;
};

bool soon(const std::function<bool()>& holds) {
  for (int i = 0; i < 1000; ++i) {
    if (holds()) return true;
    std::this_thread::sleep_for(10ms);
  }
  return false;
}

class CheckoutTest : public testing::Test {
 protected:
  void begin(bool with_corrections = true) {
    options.stop = &stop;
    options.reload = &reload;
    if (with_corrections) corrections.emplace(Corrections::open(folder / "new", 10'000'000).value());
    camera = std::make_unique<video::LatestPicture>(std::make_unique<ShownStream>(show));
    CheckoutParts parts{*camera, judge};
    parts.corrections = corrections ? &*corrections : nullptr;
    parts.board = &board;
    parts.observer = &heard;
    parts.weigher = weigher.get();
    loop = std::thread([this, parts] { totals = Checkout(options, parts, std::nullopt, true).run(); });
    ASSERT_TRUE(wait_for(ScaleState::kNothing)) << name_of(heard.last().state);
  }
  void TearDown() override {
    stop = true;
    if (loop.joinable()) loop.join();
    camera.reset();
  }
  void finish() {
    stop = true;
    loop.join();
  }
  bool wait_for(ScaleState state) {
    return soon([&] { return heard.last().state == state; });
  }

  TemporaryFolder folder;
  std::atomic<bool> stop{false};
  std::atomic<bool> reload{false};
  ScaleOptions options;
  Show show;
  ColourJudge judge;
  Heard heard;
  Board board;
  std::optional<Corrections> corrections;
  std::unique_ptr<Weigher> weigher;
  std::unique_ptr<video::LatestPicture> camera;
  std::thread loop;
  ScaleTotals totals;
};

TEST_F(CheckoutTest, AnswersWhatIsPutOnIt) {
  begin();
  EXPECT_TRUE(heard.has_said("learned how the empty scale looks"));
  show.put(table(200));
  ASSERT_TRUE(wait_for(ScaleState::kSure));
  EXPECT_EQ(heard.last().answers[0].label, "Tomato");
  EXPECT_EQ(heard.last().id, 1);
  show.put(table(10));
  ASSERT_TRUE(wait_for(ScaleState::kUnsure));
  show.put(table(255));
  ASSERT_TRUE(wait_for(ScaleState::kUnknown));
  show.put(table(0));
  ASSERT_TRUE(wait_for(ScaleState::kNothing));
  finish();
  EXPECT_EQ(totals.items, 3);
  EXPECT_GT(totals.pictures, 50);
}

TEST_F(CheckoutTest, WhatACustomerSaysIsKept) {
  begin();
  show.put(table(200));
  ASSERT_TRUE(wait_for(ScaleState::kSure));
  const std::int64_t id = heard.last().id;
  EXPECT_TRUE(board.ask({Request::Kind::kChoose, id, "Tomato"}).ok());      // confirmed
  EXPECT_TRUE(board.ask({Request::Kind::kChoose, id, "Strawberry"}).ok());  // no: it is a kind that the model does not know
  EXPECT_EQ(board.ask({Request::Kind::kChoose, id, "../../etc"}).error().kind, Error::Kind::kUsage);
  EXPECT_EQ(board.ask({Request::Kind::kChoose, id + 7, "Plum"}).error().kind, Error::Kind::kNotFound);
  show.put(table(0));
  ASSERT_TRUE(wait_for(ScaleState::kNothing));
  EXPECT_TRUE(board.ask({Request::Kind::kChoose, id, "Strawberry"}).ok());  // late, but it is still known
  finish();
  ASSERT_EQ(heard.choices.size(), 3U);
  EXPECT_FALSE(heard.choices[0].corrected);
  EXPECT_TRUE(heard.choices[1].corrected);
  EXPECT_EQ(totals.choices, 3);
  // One photo of one item, under the name that was said last.
  std::vector<fs::path> photos;
  for (const auto& entry : fs::recursive_directory_iterator(folder / "new")) {
    if (entry.is_regular_file()) photos.push_back(entry.path());
  }
  ASSERT_EQ(photos.size(), 1U);
  EXPECT_EQ(photos[0], heard.choices[2].photo);
  EXPECT_EQ(photos[0].parent_path().filename(), "Strawberry");
  const auto photo = load_image(photos[0]);
  ASSERT_TRUE(photo.ok());
  EXPECT_NEAR(photo->row(60)[3 * 80], 200, 6);  // the item, not the empty scale of later
}

TEST_F(CheckoutTest, ADiskThatTakesNothingStopsNobody) {
  begin();
  fs::remove_all(folder / "new");
  std::ofstream(folder / "new") << "a file";
  show.put(table(200));
  ASSERT_TRUE(wait_for(ScaleState::kSure));
  EXPECT_TRUE(board.ask({Request::Kind::kChoose, heard.last().id, "Plum"}).ok());
  finish();
  EXPECT_EQ(totals.photos_not_kept, 1);
  EXPECT_EQ(heard.choices.size(), 1U);
  EXPECT_TRUE(heard.has_said("was not kept"));
}

TEST_F(CheckoutTest, ALostCameraIsSaidOnceAndFoundAgain) {
  begin();
  show.put(std::nullopt);
  ASSERT_TRUE(wait_for(ScaleState::kNoPicture));
  EXPECT_FALSE(board.ask({Request::Kind::kEmptyNow, 0, {}}).ok());
  show.put(table(0));
  ASSERT_TRUE(wait_for(ScaleState::kNothing));
  finish();
  EXPECT_EQ(totals.camera_faults, 1);
  EXPECT_TRUE(heard.has_said("unplugged; it is tried again"));
  EXPECT_TRUE(heard.has_said("the camera is there again"));
}

TEST_F(CheckoutTest, WhatIsCalledEmptyIsEmpty) {
  begin();
  show.put(table(200));
  ASSERT_TRUE(wait_for(ScaleState::kSure));
  // A bowl that is to stay.
  EXPECT_TRUE(board.ask({Request::Kind::kEmptyNow, 0, {}}).ok());
  EXPECT_TRUE(wait_for(ScaleState::kNothing));
}

TEST_F(CheckoutTest, ANewModelIsReadWhileItRuns) {
  begin();
  show.put(table(200));
  ASSERT_TRUE(wait_for(ScaleState::kSure));
  judge.reloads = false;
  reload = true;
  ASSERT_TRUE(soon([&] { return heard.has_said("the old model goes on"); }));
  judge.reloads = true;
  reload = true;
  ASSERT_TRUE(soon([&] { return heard.has_said("the model was read anew"); }));
  EXPECT_TRUE(soon([&] { return heard.last().id == 2; }));  // no number is given twice
  finish();
  EXPECT_EQ(totals.reloads, 1);
}

TEST_F(CheckoutTest, AWeightIsToldWithTheAnswer) {
  const fs::path path = folder / "hidraw";
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  const int device = ::open(path.c_str(), O_RDWR);
  std::atomic<int> grams{0};
  std::thread device_thread([&] {
    while (!stop) {
      const unsigned char report[] = {3, 4, 2, 0, static_cast<unsigned char>(grams.load()), 0};
      EXPECT_EQ(::write(device, report, sizeof(report)), 6);
      std::this_thread::sleep_for(30ms);
    }
  });
  WeightOptions weight;
  weight.device = path.string();
  weigher = std::make_unique<Weigher>(weight);
  begin();
  grams = 200;
  show.put(table(200));
  EXPECT_TRUE(soon([&] { return heard.last().state == ScaleState::kSure && heard.last().weight; }));
  EXPECT_EQ(heard.last().weight->grams, 200);
  finish();
  device_thread.join();
  ::close(device);
}

TEST_F(CheckoutTest, ARecordingEndsTheRun) {
  begin();
  show.end();
  loop.join();
  EXPECT_FALSE(stop);
  loop = std::thread([] {});
}

TEST(OpenCamera, RefusesWhatMakesNoSense) {
  const TemporaryFolder folder;
  const auto open = [](const std::string& camera) {
    ScaleOptions options;
    options.camera = camera;
    return open_camera(options);
  };
  EXPECT_EQ(open("command: ").error().kind, Error::Kind::kUsage);
  EXPECT_EQ(open(folder.path().string()).error().kind, Error::Kind::kNotFound);
  EXPECT_EQ(open("/no/such/camera").error().kind, Error::Kind::kNotFound);
  EXPECT_TRUE(open("/dev/video99").ok());  // it may be plugged in later
  EXPECT_TRUE(is_recording("frames-%04d.jpg"));
  EXPECT_FALSE(is_recording("rtsp://camera/stream"));
}

TEST(Reading, IsAnObjectOnALine) {
  ScaleReading reading;
  reading.time = std::chrono::sys_time<std::chrono::milliseconds>(1'790'000'000'123ms);
  reading.state = ScaleState::kSure;
  reading.answers = {{"Kiwi \"green\"", 0.91234567}, {"Lime", 0.05}};
  reading.weight = Weight{123.4, true};
  reading.id = 7;
  reading.after = 140ms;
  EXPECT_EQ(json_line(reading),
            R"({"time":"2026-09-21T14:13:20.123Z","state":"sure","answers":[{"label":"Kiwi \"green\"","probability":0.9123},)"
            R"({"label":"Lime","probability":0.05}],"weight_g":123.4,"stable":true,"id":7,"after_ms":140})");
  EXPECT_EQ(json_line(ScaleReading{}), R"({"time":"1970-01-01T00:00:00.000Z","state":"no picture","answers":[]})");
}

}  // namespace
}  // namespace fovea::checkout
