// SPDX-License-Identifier: Apache-2.0
//
// A person's first try: every example of every verb's --help works as it is printed, in a folder like that of the demonstration.
// And what comes next: a wrong flag, a broken file, Ctrl-C.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "support/paths.h"
#include "support/process.h"

namespace fovea::test {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

/// What the demonstration leaves behind, smaller: weather.safetensors, skies, new, timelapse, today.jpg, photos.csv.
class Examples : public testing::Test {
 protected:
  static fs::path backbone() {
    const char* cache = std::getenv("XDG_CACHE_HOME");
    const char* home = std::getenv("HOME");
    const fs::path base = cache != nullptr ? fs::path(cache) : fs::path(home != nullptr ? home : "") / ".cache";
    return base / "fovea" / "efficientnet_lite0.pth";
  }

  static void SetUpTestSuite() {
    if (!fs::exists(backbone()) || folder_ != nullptr) return;
    static TemporaryFolder folder;  // one for all suites, gone with the process
    folder_ = &folder;
    must("fovea-skies skies --count 24 --size 160x120 --seed 1");
    must("fovea-skies new --count 9 --size 160x120 --seed 2");
    must("fovea-skies timelapse --timelapse 4 --size 160x120 --seed 3");
    must("fovea train skies -o weather --scope head --fit squash --size 96 --seed 1");
    must("cp new/cloudy/00000.jpg today.jpg");
    must(
        "{ echo path,label; for sky in skies/clear/*; do echo \"$sky,blue\"; done; for sky in skies/semi-clear/*; do echo "
        "\"$sky,blue;cloud\"; done; for sky in skies/cloudy/*; do echo \"$sky,cloud\"; done; } > photos.csv");
  }

  void SetUp() override {
    if (folder_ == nullptr) GTEST_SKIP() << "needs the pretrained backbone, " << backbone().string();
  }

  /// As a person types it there, with a catalogue that is not the person's own.
  static Finished shell(const std::string& line) {
    const fs::path bin = program().parent_path();
    return run_program({"/bin/sh", "-c",
                        "cd '" + folder_->path().string() + "' && PATH='" + bin.string() +
                            "':$PATH && export XDG_DATA_HOME=\"$PWD/data\" && " + line});
  }
  static void must(const std::string& line) {
    const Finished run = shell(line);
    ASSERT_EQ(run.status, 0) << line << '\n' << run.err;
  }

  static TemporaryFolder* folder_;
};
TemporaryFolder* Examples::folder_ = nullptr;

/// The lines of a help text that begin with the program's name, without the remarks behind them.
std::vector<std::string> examples_in(const std::string& help) {
  std::vector<std::string> examples;
  for (const std::string& line : lines_of(help)) {
    if (line.starts_with("  fovea ")) examples.push_back(line.substr(2, line.find("   ", 2) - 2));
  }
  return examples;
}

/// The verbs that a help text lists below `heading`.
std::vector<std::string> verbs_in(const std::string& help, const std::string& heading) {
  std::vector<std::string> verbs;
  bool below = false;
  for (const std::string& line : lines_of(help)) {
    if (line.starts_with("  ") && below && line[2] != ' ') verbs.push_back(line.substr(2, line.find(' ', 2) - 2));
    if (!line.starts_with(" ") && !line.empty()) below = line.starts_with(heading);
  }
  return verbs;
}

bool needs_hardware(const std::string& example) {
  return example.find("/dev/") != std::string::npos || example.find("rpicam") != std::string::npos;
}

/// A verb, and what its examples leave behind.
struct ExamplesOfAVerb {
  const char* verb;
  std::vector<const char*> made;
};
void PrintTo(const ExamplesOfAVerb& of, std::ostream* out) { *out << of.verb; }

class EachVerb : public Examples, public testing::WithParamInterface<ExamplesOfAVerb> {};

std::vector<ExamplesOfAVerb> verbs_with_what_they_make() {
  return {{"train", {"weather.safetensors", "things.safetensors"}},
          {"predict", {}},
          {"val", {}},
          {"check", {"skies.html"}},
          {"plan", {}},
          {"doctor", {}},
          {"bench", {}},
          {"annotate", {"sky.mp4", "sky.csv", "sky.png"}},
          {"watch", {"watch.db", "sky.html", "sky.csv"}},
          {"scale", {}},
          {"info", {}},
          {"tag", {}},
          {"untag", {}},
          {"find", {"found.html"}}};
}
INSTANTIATE_TEST_SUITE_P(Verbs, EachVerb, testing::ValuesIn(verbs_with_what_they_make()),
                         [](const auto& verb) { return std::string(verb.param.verb); });

/// What the examples say, but no longer than it takes to see that they work.
std::string hurried(std::string example, const std::string& verb) {
  if (verb == "bench" || verb == "plan") example += " --seconds 0.05";
  if (verb == "scale") example += " --port 0 --hold 0.5s";  // other tests may have the port
  // A model of 24 photos learns little in any time, and is not so sure.
  constexpr std::pair<std::string_view, std::string_view> kSmaller[] = {{"--time-budget 30", "--time-budget 5"},
                                                                        {"--min-probability 0.9", "--min-probability 0.3"}};
  for (const auto& [words, smaller] : kSmaller) {
    if (const std::size_t at = example.find(words); at != std::string::npos) example.replace(at, words.size(), smaller);
  }
  return example;
}

TEST_P(EachVerb, ExamplesWorkAsTheyArePrinted) {
  const std::string verb = GetParam().verb;
  std::vector<std::string> examples = examples_in(run_fovea({verb, "--help"}).out);
  if (verb == "bench") {
    for (const std::string& what : verbs_in(run_fovea({"bench", "--help"}).out, "Verbs:")) {
      for (const std::string& example : examples_in(run_fovea({"bench", what, "--help"}).out)) examples.push_back(example);
    }
  }
  EXPECT_FALSE(examples.empty());
  if (verb == "untag" || verb == "find") must("fovea tag weather.safetensors new --min-probability 0 -q");
  for (const std::string& example : examples) {
    if (needs_hardware(example)) continue;
    SCOPED_TRACE(example);
    const Finished run = shell(hurried(example, verb));
    const bool no_gpu = verb == "doctor" && example.find("cuda") != std::string::npos && run.status == 1;
    EXPECT_TRUE(run.status == 0 || no_gpu) << "exit status " << run.status << '\n' << run.err;
    EXPECT_FALSE(run.out.empty() && run.err.empty());
  }
  for (const char* made : GetParam().made) EXPECT_TRUE(fs::exists(*folder_ / made)) << made;
}

TEST_F(Examples, OfEveryVerbAreTried) {
  std::vector<std::string> tried;
  for (const ExamplesOfAVerb& of : verbs_with_what_they_make()) tried.emplace_back(of.verb);
  EXPECT_THAT(verbs_in(run_fovea({"--help"}).out, "Verbs:"), testing::UnorderedElementsAreArray(tried));
}

TEST_F(Examples, AWrongFlagIsNamedByEveryVerb) {
  for (const std::string& verb : verbs_in(run_fovea({"--help"}).out, "Verbs:")) {
    const Finished run = run_fovea({verb, "--no-such-flag"});
    EXPECT_EQ(run.status, 2) << verb;
    EXPECT_TRUE(run.out.empty()) << run.out;
    EXPECT_THAT(run.err, HasSubstr("fovea " + verb)) << verb;
    EXPECT_LE(lines_of(run.err).size(), 2U) << run.err;
  }
}

/// What a person mistook is named, with what to give instead.
TEST_F(Examples, AMistakeIsToldWithWhatToDo) {
  must("mkdir -p nothing && fovea tag weather.safetensors today.jpg -q && fovea untag today.jpg -q");
  const std::pair<const char*, const char*> said[] = {
      {"val weather.safetensors new --split test", "new: no photo in a split 'test': 9 to train, 0 to validate, 0 to test"},
      {"tag weather.safetensors nothing", "nothing: no photo there"},
      {"untag nowhere", "nowhere: no such file or folder"},
      {"annotate weather.safetensors timelapse -o x.mp4", "numbered pictures in it are given as timelapse/name-%04d.jpg"},
      {"annotate weather.safetensors timelapse/frame-%04d.jpg", "(-o), --csv, --jsonl or --timeline"},
      {"annotate weather.safetensors timelapse/frame-%04d.jpg -o x.avi", "x.avi: the name says neither .mp4 nor .webm"},
  };
  for (const auto& [command, words] : said) {
    const Finished run = shell(std::string("fovea ") + command);
    EXPECT_EQ(run.status, 2) << command;
    EXPECT_THAT(run.err, HasSubstr(words)) << command;
  }
  EXPECT_FALSE(fs::exists(*folder_ / "x.avi"));
}

TEST_F(Examples, AClassWithoutPhotosHasNoFigures) {
  must("mkdir -p two/clear two/cloudy && cp new/clear/*.jpg two/clear && cp new/cloudy/*.jpg two/cloudy");
  const Finished run = shell("fovea val weather.safetensors two");
  EXPECT_EQ(run.status, 0) << run.err;
  EXPECT_THAT(run.out, HasSubstr("semi-clear        0          -        -        -\n"));
}

TEST_F(Examples, WhatIsWrongWithStandardInputIsSaidOfIt) {
  const Finished run = shell("fovea predict weather.safetensors - < /dev/null");
  EXPECT_EQ(run.status, 2);
  EXPECT_THAT(run.err, HasSubstr("error: -: empty, expected a picture"));
}

TEST_F(Examples, EveryVerbThatComputesNamesTheDevice) {
  for (const char* command :
       {"predict weather.safetensors today.jpg", "val weather.safetensors new", "check skies",
        "tag weather.safetensors new --again --dry-run", "watch weather.safetensors timelapse --once --database device.db",
        "annotate weather.safetensors timelapse/frame-%04d.jpg --csv device.csv",
        "scale weather.safetensors timelapse --no-page --hold 0.2s"}) {
    const Finished run = shell(std::string("fovea ") + command + " --device cpu");
    EXPECT_EQ(run.status, 0) << command << run.err;
    EXPECT_THAT(run.err, HasSubstr("device: cpu")) << command;
  }
}

TEST_F(Examples, ANameWithALineBreakIsOneLineForPeople) {
  must("mkdir -p odd && cp today.jpg \"$(printf 'odd/a\\nb.jpg')\" && head -c 300 today.jpg > \"$(printf 'odd/c\\nd.jpg')\"");
  const Finished run = shell("fovea predict weather.safetensors odd -q");
  EXPECT_EQ(run.status, 1) << run.err;
  EXPECT_EQ(lines_of(run.out).size(), 1U) << run.out;
  EXPECT_EQ(lines_of(run.err).size(), 1U) << run.err;
  EXPECT_THAT(run.out, HasSubstr("odd/a?b.jpg"));
}

/// `script` gives it a terminal.
TEST_F(Examples, AnswersThatGoToAFileLeaveTheTerminalToProgress) {
  const Finished run = shell("script -qec 'fovea predict weather.safetensors new > answers.txt' /dev/null");
  EXPECT_EQ(run.status, 0) << run.err;
  EXPECT_THAT(run.out, testing::AllOf(HasSubstr("photos"), HasSubstr("100 %"))) << run.out;
  const Finished answers = shell("cat answers.txt");
  EXPECT_EQ(lines_of(answers.out).size(), 9U) << answers.out;
  EXPECT_EQ(answers.out.find('\r'), std::string::npos);
}

TEST_F(Examples, ADumbTerminalGetsNoEscapesAndANarrowOneNoLineThatWraps) {
  const Finished dumb = shell("TERM=dumb script -qec 'fovea predict weather.safetensors new > answers.txt' /dev/null");
  EXPECT_EQ(dumb.status, 0) << dumb.err;
  EXPECT_EQ(dumb.out.find('\x1b'), std::string::npos) << dumb.out;
  const Finished narrow =
      shell("TERM=xterm script -qec 'stty cols 16; fovea predict weather.safetensors new --quiet 2>&1 > answers.txt' /dev/null");
  for (const std::string& line : lines_of(narrow.out)) EXPECT_LT(line.size(), 40U) << line;
}

TEST_F(Examples, NoLineOfInfoIsWiderThanATerminal) {
  for (const std::string& line : lines_of(shell("fovea info weather.safetensors").out)) EXPECT_LE(line.size(), 80U) << line;
}

/// The same for a model and for photos: one line that names the file, and nothing made.
TEST_F(Examples, ABrokenFileIsNamedByEveryVerb) {
  must(
      "head -c 5000 weather.safetensors > broken.safetensors; head -c 300 today.jpg > broken.jpg; mkdir -p b/clear b/cloudy; cp "
      "broken.jpg b/clear; cp broken.jpg "
      "b/cloudy; head -c 2000 today.jpg > broken.mp4");
  for (const char* command : {"predict broken.safetensors today.jpg", "val broken.safetensors new", "info broken.safetensors",
                              "tag broken.safetensors new", "annotate broken.safetensors timelapse/frame-%04d.jpg -o x.mp4",
                              "watch broken.safetensors timelapse --once --database x.db",
                              "scale broken.safetensors timelapse --no-page", "bench infer broken.safetensors --seconds 0.05"}) {
    const Finished run = shell(std::string("fovea ") + command);
    EXPECT_EQ(run.status, 2) << command << '\n' << run.err;
    EXPECT_TRUE(run.out.empty()) << run.out;
    EXPECT_THAT(run.err, HasSubstr("broken.safetensors")) << command;
  }
  for (const char* command : {"predict weather.safetensors broken.jpg", "info broken.jpg", "tag weather.safetensors broken.jpg",
                              "annotate weather.safetensors broken.mp4 -o x.mp4", "bench decode broken.jpg --seconds 0.05"}) {
    const Finished run = shell(std::string("fovea ") + command);
    EXPECT_NE(run.status, 0) << command;
    EXPECT_THAT(run.err, HasSubstr("broken.")) << command;
  }
  for (const char* command : {"train b -o x", "check b", "val weather.safetensors b", "plan b"}) {
    const Finished run = shell(std::string("fovea ") + command);
    EXPECT_NE(run.status, 0) << command;
    EXPECT_THAT(run.out + run.err, HasSubstr("broken.jpg")) << command << '\n' << run.err;
  }
  EXPECT_FALSE(fs::exists(*folder_ / "x.mp4"));
  EXPECT_FALSE(fs::exists(*folder_ / "x.safetensors"));
}

/// Stopped in the middle, every verb ends soon and by itself, and leaves no half file.
TEST_F(Examples, CtrlCEndsEveryVerb) {
  must(
      "mkdir -p many/a many/b; for i in $(seq -w 1 300); do cp today.jpg many/a/$i.jpg; cp today.jpg many/b/$i.jpg; cp today.jpg "
      "many/frame-00$i.jpg; done");
  for (const char* command :
       {"train skies -o stopped --scope full --epochs 500", "check skies", "plan skies --seconds 100",
        "bench infer --seconds 100", "bench decode skies --seconds 100", "bench sort --seconds 100",
        "predict weather.safetensors many -q", "val weather.safetensors many -q", "tag weather.safetensors many -q",
        "watch weather.safetensors timelapse --every 1s --time-limit 500ms --database stopped.db",
        "annotate weather.safetensors many/frame-%05d.jpg -o stopped.mp4",
        "scale weather.safetensors timelapse --loop --port 0"}) {
    const Finished run =
        shell(std::string("timeout --foreground --preserve-status --signal INT --kill-after 20 1.5 fovea ") + command);
    EXPECT_LT(run.status, 3) << command << ": exit status " << run.status << '\n' << run.err;
  }
  for (const auto& entry : fs::recursive_directory_iterator(folder_->path())) {
    EXPECT_FALSE(entry.path().extension() == ".tmp" || entry.path().extension() == ".part") << entry.path();
  }
}

}  // namespace
}  // namespace fovea::test
