// SPDX-License-Identifier: Apache-2.0
//
// From photos to a model to answers, with nothing but the program.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>

#include "core/file_lock.h"
#include "core/rng.h"
#include "fovea/base64.h"
#include "image/encode.h"
#include "support/paths.h"
#include "support/process.h"

namespace fovea::test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

void write_bytes(const fs::path& path, std::span<const std::byte> bytes) {
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
}

std::string read_text(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// Noisy photos of one colour: classes that a network without any pretraining learns in seconds.
void paint_class(const fs::path& folder, std::array<int, 3> colour, std::uint32_t count) {
  fs::create_directories(folder);
  for (std::uint32_t i = 0; i < count; ++i) {
    Rng rng(11, 0, i, static_cast<std::uint32_t>(colour[0] * 256 + colour[1]));
    Image photo(48, 40);
    for (std::size_t p = 0; p < photo.pixels.size(); ++p) {
      photo.pixels[p] = static_cast<std::uint8_t>(std::clamp(colour[p % 3] + static_cast<int>(rng.below(80)) - 40, 0, 255));
    }
    const auto jpeg = encode_jpeg(photo, 90);
    write_bytes(folder / ("photo " + std::to_string(i) + ".jpg"), jpeg);
  }
}

/// Every entry with its time and content.
std::map<std::string, std::pair<fs::file_time_type, std::string>> snapshot(const fs::path& folder) {
  std::map<std::string, std::pair<fs::file_time_type, std::string>> entries;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    entries[entry.path().string()] = {entry.last_write_time(), entry.is_regular_file() ? read_text(entry.path()) : ""};
  }
  return entries;
}

class EndToEnd : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = new TemporaryFolder;
    paint_class(*folder_ / "photos/rot", {200, 60, 60}, 24);
    paint_class(*folder_ / "photos/blå", {60, 60, 200}, 24);
    before_ = snapshot(*folder_ / "photos");
    trained_ = new Finished(run_fovea({"train",
                                       (*folder_ / "photos").string(),
                                       "-o",
                                       (*folder_ / "model").string(),
                                       "--arch",
                                       "mobilenet_v2_0.35",
                                       "--from-scratch",
                                       "--scope",
                                       "full",
                                       "--bn",
                                       "frozen",
                                       "--size",
                                       "32",
                                       "--epochs",
                                       "8",
                                       "--batch",
                                       "8",
                                       "--lr",
                                       "0.003",
                                       "--augment",
                                       "none",
                                       "--fit",
                                       "squash",
                                       "--threads",
                                       "2"}));
  }
  static void TearDownTestSuite() {
    delete trained_;
    delete folder_;
  }
  [[nodiscard]] static std::string path(std::string_view name) { return (*folder_ / name).string(); }
  [[nodiscard]] static std::string photo(std::string_view colour) {
    return path("photos/" + std::string(colour) + "/photo 3.jpg");
  }

  static inline TemporaryFolder* folder_ = nullptr;
  static inline Finished* trained_ = nullptr;
  static inline std::map<std::string, std::pair<fs::file_time_type, std::string>> before_;
};

TEST_F(EndToEnd, TrainingWritesTheModelAndTellsItsAccuracy) {
  ASSERT_EQ(trained_->status, 0) << trained_->err;
  EXPECT_TRUE(fs::exists(path("model.safetensors")));
  EXPECT_EQ(lines_of(trained_->out), std::vector<std::string>{path("model.safetensors")});
  EXPECT_NE(trained_->err.find("95 % interval"), std::string::npos) << trained_->err;
}

TEST_F(EndToEnd, PredictNamesTheColour) {
  const Finished run = run_fovea({"predict", path("model.safetensors"), photo("rot"), photo("blå"), "--json"});
  ASSERT_EQ(run.status, 0) << run.err;
  const auto lines = lines_of(run.out);
  ASSERT_EQ(lines.size(), 2U);
  const json red = json::parse(lines[0]);
  EXPECT_EQ(red["path"], photo("rot"));
  EXPECT_EQ(red["predictions"][0]["label"], "rot");
  EXPECT_GT(red["predictions"][0]["probability"], 0.5);
  EXPECT_EQ(red["rejected"], false);
  EXPECT_EQ(json::parse(lines[1])["predictions"][0]["label"], "blå");
}

TEST_F(EndToEnd, JsonHoldsTheBytesOfNamesThatAreNotUtf8) {
  const std::string name = path("caf\xE9 \xEF\xBF\xBD.jpg");  // Latin-1, and a sound U+FFFD
  fs::copy_file(photo("rot"), name);
  const Finished run = run_fovea({"predict", path("model.safetensors"), name, photo("rot"), "--json"});
  fs::remove(name);
  ASSERT_EQ(run.status, 0) << run.err;
  const auto lines = lines_of(run.out);
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(json::parse(lines[0])["path"], path("caf\xEF\xBF\xBD \xEF\xBF\xBD.jpg"));
  EXPECT_EQ(json::parse(lines[0])["path_bytes"], base64(std::as_bytes(std::span(name))));
  EXPECT_FALSE(json::parse(lines[1]).contains("path_bytes"));
}

TEST_F(EndToEnd, AFailingDriveIsOneLineOfPredict) {
  fs::create_directory(path("drive"));
  for (int n = 0; n < 30; ++n) fs::create_symlink("/proc/self/mem", path("drive/" + std::to_string(100 + n) + ".jpg"));
  fs::copy_file(photo("rot"), path("drive/0.jpg"));
  const Finished run = run_fovea({"predict", path("model.safetensors"), path("drive"), "--quiet"});
  fs::remove_all(path("drive"));
  EXPECT_EQ(run.status, 1);
  EXPECT_EQ(lines_of(run.out).size(), 1U) << run.out;
  const auto said = lines_of(run.err);
  ASSERT_EQ(said.size(), 8U) << run.err;
  EXPECT_NE(said.back().find("cannot be read (Input/output error); stopped, 23 photos not looked at"), std::string::npos)
      << said.back();
}

TEST_F(EndToEnd, ABatchAnswersAsSinglePhotosDo) {
  const Finished many = run_fovea({"predict", path("model.safetensors"), path("photos"), "--json"});
  ASSERT_EQ(many.status, 0) << many.err;
  ASSERT_EQ(lines_of(many.out).size(), 48U);
  const json in_batch = json::parse(lines_of(many.out)[5]);
  const Finished one = run_fovea({"predict", path("model.safetensors"), in_batch["path"].get<std::string>(), "--json"});
  const json alone = json::parse(one.out);
  EXPECT_EQ(alone["predictions"][0]["label"], in_batch["predictions"][0]["label"]);
  // Two orders of summation over at most a few thousand terms.
  EXPECT_NEAR(alone["predictions"][0]["probability"], in_batch["predictions"][0]["probability"], 1e-4);
}

TEST_F(EndToEnd, LongPathsAreCutInFrontSoThatNamesTellPhotosApart) {
  const fs::path deep = fs::path(path("photos")).parent_path() / std::string(60, 'd');
  fs::create_directories(deep);
  const json photo = json::parse(lines_of(run_fovea({"predict", path("model.safetensors"), path("photos"), "--json"}).out)[0]);
  fs::copy_file(photo["path"].get<std::string>(), deep / "frame-0001.png");
  fs::copy_file(photo["path"].get<std::string>(), deep / "frame-0002.png");
  const Finished run = run_fovea({"predict", path("model.safetensors"), deep.string()});
  fs::remove_all(deep);
  ASSERT_EQ(run.status, 0) << run.err;
  const auto lines = lines_of(run.out);
  ASSERT_EQ(lines.size(), 2U) << run.out;
  EXPECT_TRUE(lines[0].starts_with("…dd")) << lines[0];
  EXPECT_NE(lines[0].find("dd/frame-0001.png "), std::string::npos) << lines[0];
  EXPECT_NE(lines[1].find("dd/frame-0002.png "), std::string::npos) << lines[1];
}

TEST_F(EndToEnd, TrainingLeavesAReport) {
  const std::string html = read_text(path("model.html"));
  EXPECT_TRUE(html.starts_with("<!doctype html>"));
  for (const char* part : {"blå", "How it learned", "95 % confidence", "Hardware"}) {
    EXPECT_NE(html.find(part), std::string::npos) << part;
  }
  EXPECT_NE(trained_->err.find(path("model.html")), std::string::npos) << trained_->err;
}

TEST_F(EndToEnd, ValWritesAReportWhenAsked) {
  const Finished run = run_fovea({"val", path("model.safetensors"), path("photos"), "--report", path("val.html")});
  ASSERT_EQ(run.status, 0) << run.err;
  EXPECT_NE(read_text(path("val.html")).find("Class by class"), std::string::npos);
}

TEST_F(EndToEnd, ExplainWritesAPictureForEachPhoto) {
  const Finished one = run_fovea({"predict", path("model.safetensors"), photo("rot"), "--explain", path("one.png")});
  ASSERT_EQ(one.status, 0) << one.err;
  EXPECT_TRUE(read_text(path("one.png")).starts_with("\x89PNG"));
  const Finished two = run_fovea({"predict", path("model.safetensors"), photo("rot"), photo("blå"), "--explain", path("maps")});
  ASSERT_EQ(two.status, 0) << two.err;
  EXPECT_TRUE(fs::exists(path("maps/photo 3.heat.jpg")));
  EXPECT_TRUE(fs::exists(path("maps/photo 3-2.heat.jpg")));
}

TEST_F(EndToEnd, APhotoOnStandardInput) {
  const Finished run = run_fovea({"predict", path("model.safetensors"), "-", "--json"}, read_text(photo("blå")));
  ASSERT_EQ(run.status, 0) << run.err;
  EXPECT_EQ(json::parse(run.out)["predictions"][0]["label"], "blå");
}

TEST_F(EndToEnd, OneBadPhotoIsNamedAndTheRestIsDone) {
  write_bytes(path("broken.jpg"), std::as_bytes(std::span("\xFF\xD8\xFF no")));
  const Finished run = run_fovea({"predict", path("model.safetensors"), path("broken.jpg"), photo("rot")});
  EXPECT_EQ(run.status, 1);
  EXPECT_EQ(lines_of(run.out).size(), 1U) << run.out;
  EXPECT_NE(run.err.find("broken.jpg"), std::string::npos) << run.err;
  EXPECT_EQ(run_fovea({"predict", path("model.safetensors"), path("broken.jpg")}).status, 2);
}

TEST_F(EndToEnd, ValEndsWithTheResult) {
  const Finished run = run_fovea({"val", path("model.safetensors"), path("photos"), "--json"});
  ASSERT_EQ(run.status, 0) << run.err;
  const json result = json::parse(lines_of(run.out).back());
  EXPECT_EQ(result["photos"], 48);
  EXPECT_GE(result["accuracy"], 0.9);
  ASSERT_EQ(result["interval"].size(), 2U);
  EXPECT_LE(result["interval"][0], result["accuracy"]);
  EXPECT_GE(result["interval"][1], result["accuracy"]);
  EXPECT_EQ(run_fovea({"val", path("model.safetensors"), path("photos")}).status, 0);
}

TEST_F(EndToEnd, InfoTellsWhatThingsAre) {
  const Finished run = run_fovea({"info", path("model.safetensors"), path("photos"), photo("rot"), "--json"});
  ASSERT_EQ(run.status, 0) << run.err;
  const auto lines = lines_of(run.out);
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_EQ(json::parse(lines[0])["classes"], (json::array({"blå", "rot"})));
  EXPECT_EQ(json::parse(lines[1])["classes"][1]["train"], 24);
  EXPECT_EQ(json::parse(lines[2])["width"], 48);
}

TEST_F(EndToEnd, WatchKeepsARecordAndShowsIt) {
  const std::vector<std::string> camera = {"watch",
                                           path("model.safetensors"),
                                           "command:cat '" + photo("rot") + "'",
                                           "--once",
                                           "--database",
                                           path("sky.db"),
                                           "--threads",
                                           "1"};
  std::vector<std::string> as_json = camera;
  as_json.insert(as_json.end(), {"--json", "--place", "48.1,11.6", "--night-below", "-90"});
  const Finished first = run_fovea(as_json);
  EXPECT_EQ(first.status, 0) << first.err;
  const json record = json::parse(first.out);
  EXPECT_EQ(record["state"], "classified");
  EXPECT_EQ(record["predictions"][0]["label"], "rot");
  EXPECT_TRUE(record.contains("sun"));
  EXPECT_TRUE(fs::exists(fs::path(record["photo"].get<std::string>())));
  const Finished second = run_fovea(camera);
  EXPECT_EQ(second.status, 0) << second.err;
  EXPECT_NE(second.out.find("rot"), std::string::npos) << second.out;

  std::vector<std::string> broken = camera;
  broken[2] = "command:false";
  const Finished fault = run_fovea(broken);
  EXPECT_EQ(fault.status, 2);
  EXPECT_NE(fault.out.find("status 1"), std::string::npos) << fault.out;

  const Finished shown =
      run_fovea({"watch", "--database", path("sky.db"), "--report", path("sky.html"), "--csv", path("sky.csv")});
  EXPECT_EQ(shown.status, 0) << shown.err;
  EXPECT_EQ(lines_of(read_text(path("sky.csv"))).size(), 1U + 3);
  EXPECT_NE(read_text(path("sky.html")).find("rot"), std::string::npos);
}

TEST_F(EndToEnd, ADatabaseHasOneWatchAtATime) {
  const std::vector<std::string> watch{
      "watch", path("model.safetensors"), path("photos"), "--once", "--database", path("one.db"), "--keep", "none"};
  {
    const auto other = FileLock::beside(path("one.db"));
    ASSERT_TRUE(other.ok());
    const Finished run = run_fovea(watch);
    EXPECT_EQ(run.status, 2);
    EXPECT_NE(run.err.find("another 'fovea watch' keeps its records there"), std::string::npos) << run.err;
    EXPECT_FALSE(fs::exists(path("one.db")));
  }
  EXPECT_EQ(run_fovea(watch).status, 0);
  EXPECT_FALSE(fs::exists(path(".one.db.lock")));
}

TEST_F(EndToEnd, WatchRefusesWhatMakesNoSense) {
  const std::vector<std::vector<std::string>> wrong = {
      {"watch"},
      {"watch", path("model.safetensors")},
      {"watch", path("model.safetensors"), path("no-such-folder")},
      {"watch", path("model.safetensors"), path("photos"), "--place", "91,0"},
      {"watch", path("model.safetensors"), path("photos"), "--place", "north"},
      {"watch", path("model.safetensors"), path("photos"), "--once", "--place", "52,13", "--night-below", "nan"},
      {"watch", path("model.safetensors"), path("photos"), "--every", "10 minutes"},
      {"watch", path("model.safetensors"), path("photos"), "--every", "10s"},
      {"watch", path("model.safetensors"), path("photos"), "--every", "90500ms"},
      {"watch", path("model.safetensors"), path("photos"), "--photos", path("photos/kept")},
      {"watch", "--report", path("x.html"), "--database", path("none.db")}};
  for (const auto& arguments : wrong) {
    const Finished run = run_fovea(arguments);
    EXPECT_EQ(run.status, 2) << arguments.back();
    EXPECT_TRUE(run.out.empty()) << run.out;
    EXPECT_FALSE(run.err.empty());
  }
}

/// Of the tenths of an hour, 1.1 is no whole number of seconds in binary arithmetic.
TEST_F(EndToEnd, WatchTakesTimesWithAPoint) {
  const Finished run = run_fovea({"watch", path("model.safetensors"), path("photos"), "--once", "--database", path("point.db"),
                                  "--keep", "none", "--every", "1.1h"});
  EXPECT_EQ(run.status, 0) << run.err;
}

TEST_F(EndToEnd, PhotosAreNotTouched) { EXPECT_EQ(snapshot(path("photos")), before_); }

TEST_F(EndToEnd, AFullDiskAtSaveIsAClearError) {
  const Finished run = run_fovea({"train", path("photos"), "-o", "/dev/full/model", "--arch", "mobilenet_v2_0.35",
                                  "--from-scratch", "--scope", "full", "--size", "32", "--epochs", "1"});
  EXPECT_EQ(run.status, 2);
  EXPECT_NE(run.err.find("/dev/full"), std::string::npos) << run.err;
}

/// What a program with a full disk behind its standard output comes to; `head` going away is no trouble.
TEST_F(EndToEnd, AnswersThatCannotBeWrittenAreAnError) {
  const std::string predict = program().string() + " predict '" + path("model.safetensors") + "' '" + path("photos") + "'";
  for (const char* flag : {"", " --json"}) {
    const Finished full = run_program({"/bin/sh", "-c", predict + flag + " > /dev/full"});
    EXPECT_EQ(full.status, 1);
    EXPECT_NE(full.err.find("standard output: cannot write: No space left on device"), std::string::npos) << full.err;
    const Finished head =
        run_program({"/bin/sh", "-c", "(" + predict + flag + "; echo $? > '" + path("status") + "') | head -n 1"});
    EXPECT_EQ(lines_of(head.out).size(), 1U);
    EXPECT_EQ(head.err.find("standard output"), std::string::npos) << head.err;
    EXPECT_EQ(run_program({"/bin/cat", path("status")}).out, "0\n");
  }
}

/// A terminal that is closed stops a training as Ctrl-C does; what nohup started goes on.
TEST_F(EndToEnd, AClosedTerminalEndsATrainingCleanly) {
  const std::string train = "'" + program().string() + "' train '" + path("photos") + "' -o '" + path("hung") +
                            "' --arch mobilenet_v2_0.35 --from-scratch --scope full --size 32 --epochs 3000 --quiet";
  const std::string begun = " & until grep -qs epoch '" + path("hung.run/metrics.jsonl") + "'; do sleep 0.02; done; ";
  const Finished run = run_program({"/bin/sh", "-c", train + begun + "kill -HUP $!; wait $!"});
  EXPECT_LT(run.status, 128) << run.err;
  EXPECT_TRUE(fs::exists(path("hung.run/checkpoint/run.json")));
  fs::remove_all(path("hung.run"));
  const Finished deaf = run_program(
      {"/bin/sh", "-c", "trap '' HUP; " + train + begun + "kill -HUP $!; sleep 0.4; kill -0 $! && kill -TERM $!; wait $!"});
  EXPECT_EQ(deaf.err.find("No such process"), std::string::npos) << deaf.err;
}

/// A file that may not grow (ulimit -f) is an error like a full disk, no death by a signal.
TEST_F(EndToEnd, AFileThatMayNotGrowIsAClearError) {
  const Finished run =
      run_program({"/bin/sh", "-c",
                   "ulimit -f 16; '" + program().string() + "' train '" + path("photos") + "' -o '" + path("small") +
                       "' --arch mobilenet_v2_0.35 --from-scratch --scope full --size 32 --epochs 1 --quiet"});
  EXPECT_EQ(run.status, 2) << run.err;
  EXPECT_NE(run.err.find("small.safetensors: cannot write: File too large"), std::string::npos) << run.err;
}

TEST_F(EndToEnd, AReportReplacesNoPhotoAndNoModel) {
  const auto before = snapshot(path("photos"));
  const std::string model = path("model.safetensors");
  const auto size = fs::file_size(model);
  for (const std::string& report : {model, before.begin()->first}) {
    const Finished run = run_fovea({"val", model, path("photos"), "--report", report});
    EXPECT_EQ(run.status, 2);
    EXPECT_NE(run.err.find("ends in .html"), std::string::npos) << run.err;
  }
  EXPECT_EQ(fs::file_size(model), size);
  EXPECT_EQ(snapshot(path("photos")), before);
}

/// A picture that fades from the first class's colour into the second's: `share` of the way.
void paint_fading(const fs::path& path, double share) {
  const std::array<double, 3> colour{200 - 140 * share, 60, 60 + 140 * share};
  Rng rng(3, 0, static_cast<std::uint32_t>(1000 * share), 0);
  Image photo(96, 80);
  for (std::size_t p = 0; p < photo.pixels.size(); ++p) {
    photo.pixels[p] =
        static_cast<std::uint8_t>(std::clamp(static_cast<int>(colour[p % 3]) + static_cast<int>(rng.below(80)) - 40, 0, 255));
  }
  write_bytes(path, encode_jpeg(photo, 90));
}

class Video : public EndToEnd {
 protected:
  static void SetUpTestSuite() {
    EndToEnd::SetUpTestSuite();
    fs::create_directories(path("frames"));
    for (int n = 0; n < kFrames; ++n) {
      paint_fading(path("frames") + "/f-" + std::to_string(100 + n) + ".jpg", static_cast<double>(n) / (kFrames - 1));
    }
  }
  static constexpr int kFrames = 20;
  static std::vector<std::string> annotate(std::vector<std::string> more) {
    std::vector<std::string> words{"annotate", path("model.safetensors"), path("frames") + "/f-%03d.jpg", "--fps", "10",
                                   "--quiet"};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
};

TEST_F(Video, TheProbabilitiesCrossOnceAndInTheRightOrder) {
  const Finished done = run_fovea(annotate({"-o", path("fading.mp4"), "--jsonl", path("fading.jsonl"), "--csv",
                                            path("fading.csv"), "--timeline", path("fading.png"), "--smooth", "0.2"}));
  ASSERT_EQ(done.status, 0) << done.err;
  EXPECT_EQ(lines_of(done.out).front(), path("fading.mp4"));
  std::vector<std::string> labels;
  double seconds = -1;
  for (const std::string& line : lines_of(read_text(path("fading.jsonl")))) {
    const json frame = json::parse(line);
    EXPECT_GT(frame["seconds"], seconds);
    seconds = frame["seconds"];
    if (labels.empty() || labels.back() != frame["label"].get<std::string>()) labels.push_back(frame["label"]);
  }
  EXPECT_EQ(labels, (std::vector<std::string>{"rot", "blå"}));
  EXPECT_NEAR(seconds, (kFrames - 1) / 10.0, 1e-6);
  EXPECT_EQ(lines_of(read_text(path("fading.csv"))).size(), 1U + kFrames);
  EXPECT_GT(fs::file_size(path("fading.png")), 100U);
  // What was written is a video again.
  const Finished again =
      run_fovea({"annotate", path("model.safetensors"), path("fading.mp4"), "--csv", path("again.csv"), "--json"});
  ASSERT_EQ(again.status, 0) << again.err;
  EXPECT_EQ(json::parse(again.out)["frames"], kFrames);
}

TEST_F(Video, EveryThirdFrameIsLookedAtAndTheRestIsSaid) {
  const Finished done = run_fovea(annotate({"--every", "3", "--csv", path("third.csv"), "--json"}));
  ASSERT_EQ(done.status, 0) << done.err;
  EXPECT_EQ(json::parse(done.out)["classified"], (kFrames + 2) / 3);
}

TEST_F(Video, StandardOutputIsTheVideo) {
  const Finished done = run_fovea(annotate({"-o", "-"}));
  ASSERT_EQ(done.status, 0) << done.err;
  ASSERT_GT(done.out.size(), 1000U);
  EXPECT_EQ(done.out.substr(4, 4), "ftyp");
}

TEST_F(Video, AnEarlierTableStaysWhereNothingCanBeDrawn) {
  const std::vector<std::byte> flat = encode_jpeg(Image(640, 2), 90);
  std::ofstream(path("flat.jpg"), std::ios::binary)
      .write(reinterpret_cast<const char*>(flat.data()), static_cast<std::streamsize>(flat.size()));
  std::ofstream(path("earlier.csv")) << "earlier";
  const Finished run = run_fovea(
      {"annotate", path("model.safetensors"), path("flat.jpg"), "-o", path("flat.mp4"), "--csv", path("earlier.csv"), "--quiet"});
  EXPECT_EQ(run.status, 2);
  EXPECT_NE(run.err.find("too small to write on"), std::string::npos) << run.err;
  std::string kept;
  std::ifstream(path("earlier.csv")) >> kept;
  EXPECT_EQ(kept, "earlier");
}

TEST_F(Video, NoRecordIsWrittenOverSomethingElse) {
  run_program({"/bin/cp", path("frames") + "/f-100.jpg", path("precious.jpg")});
  const std::string before = run_program({"/usr/bin/md5sum", path("precious.jpg")}).out;
  for (const std::vector<std::string>& flags :
       std::vector<std::vector<std::string>>{{"--csv", path("precious.jpg")},
                                             {"--jsonl", path("precious.jpg")},
                                             {"--timeline", path("precious.jpg")},
                                             {"--csv", path("new.txt"), "--jsonl", path("new.txt")}}) {
    const Finished run = run_fovea(annotate(flags));
    EXPECT_EQ(run.status, 2) << flags[0];
    EXPECT_NE(run.err.find("name"), std::string::npos) << run.err;
  }
  EXPECT_EQ(run_program({"/usr/bin/md5sum", path("precious.jpg")}).out, before);
  EXPECT_FALSE(fs::exists(path("new.txt")));
  for (int again = 0; again < 2; ++again)
    EXPECT_EQ(run_fovea(annotate({"--csv", path("f.csv"), "--timeline", path("f.png")})).status, 0);
}

TEST_F(Video, WhatCannotBeDoneIsSaid) {
  EXPECT_EQ(run_fovea(annotate({})).status, 2);
  const Finished missing = run_fovea({"annotate", path("model.safetensors"), path("none.mp4"), "-o", path("x.mp4")});
  EXPECT_EQ(missing.status, 2);
  EXPECT_NE(missing.err.find("none.mp4: No such file"), std::string::npos) << missing.err;
  const Finished photo = run_fovea({"annotate", path("model.safetensors"), path("fading.csv"), "-o", path("x.mp4")});
  EXPECT_EQ(photo.status, 2);
  EXPECT_FALSE(fs::exists(path("x.mp4")));
}

}  // namespace
}  // namespace fovea::test
