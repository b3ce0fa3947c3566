// SPDX-License-Identifier: Apache-2.0
//
// What a person meets who gets it wrong.
#include <gtest/gtest.h>

#include <fstream>

#include "data/photos.h"
#include "support/paths.h"
#include "support/process.h"

namespace fovea::test {
namespace {

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

constexpr const char* kVerbs[] = {"train", "predict", "val",  "check", "plan",  "doctor", "annotate",
                                  "watch", "scale",   "info", "tag",   "untag", "find"};

TEST(Usage, WithoutAVerbTheVerbsAreListed) {
  const Finished run = run_fovea({});
  EXPECT_EQ(run.status, 2);
  EXPECT_TRUE(run.out.empty());
  for (const char* verb : kVerbs) EXPECT_TRUE(contains(run.err, verb)) << run.err;
}

TEST(Usage, HelpOfEveryVerbShowsAnExampleFirst) {
  for (const char* verb : kVerbs) {
    const Finished run = run_fovea({verb, "--help"});
    EXPECT_EQ(run.status, 0);
    const std::size_t example = run.out.find(std::string("  fovea ") + verb);
    EXPECT_NE(example, std::string::npos) << run.out;
    EXPECT_LT(example, run.out.find("Options:")) << run.out;
  }
}

TEST(Usage, HelpFitsATerminalAndSaysWhatEachFlagTakes) {
  std::vector<std::vector<std::string>> pages = {
      {}, {"bench"}, {"bench", "train"}, {"bench", "infer"}, {"bench", "decode"}, {"bench", "sort"}};
  for (const char* verb : kVerbs) pages.push_back({verb});
  for (std::vector<std::string> page : pages) {
    page.emplace_back("--help");
    const Finished run = run_fovea(page);
    EXPECT_EQ(run.status, 0) << run.err;
    EXPECT_TRUE(contains(run.out, "\n\nUsage: fovea")) << run.out;
    for (const std::string& line : lines_of(run.out)) {
      EXPECT_LE(line.size(), 80U) << line;
      EXPECT_FALSE(contains(line, " TEXT") || contains(line, "{")) << line;
    }
  }
}

TEST(Usage, TheVerbHelpIsTheFlagHelp) {
  EXPECT_EQ(run_fovea({"help"}).out, run_fovea({"--help"}).out);
  for (const char* verb : {"train", "annotate"}) {
    const Finished run = run_fovea({"help", verb});
    EXPECT_EQ(run.status, 0) << run.err;
    EXPECT_EQ(run.out, run_fovea({verb, "--help"}).out);
  }
}

/// What is said of a command, without the line that points to --help.
std::string complaint(const std::vector<std::string>& arguments) {
  const Finished run = run_fovea(arguments);
  EXPECT_EQ(run.status, 2);
  EXPECT_TRUE(run.out.empty()) << run.out;
  const auto lines = lines_of(run.err);
  EXPECT_EQ(lines.size(), 2U) << run.err;
  return lines.empty() ? "" : lines[0];
}

TEST(Usage, AnUnknownFlagIsNamedWithTheNearest) {
  EXPECT_EQ(complaint({"predict", "--wrong"}), "fovea predict: there is no flag '--wrong'");
  EXPECT_EQ(complaint({"train", "d", "--epoch", "3"}), "fovea train: there is no flag '--epoch'; did you mean '--epochs'?");
  EXPECT_EQ(complaint({"train", "d", "--imgsz=64"}), "fovea train: there is no flag '--imgsz'; did you mean '--size'?");
  EXPECT_EQ(complaint({"watch", "--wrong"}), "fovea watch: there is no flag '--wrong'");
  EXPECT_EQ(complaint({"train", "a", "b"}), "fovea train: 'b' is one word too many");
  EXPECT_EQ(complaint({"bench", "foo"}), "fovea bench: there is no 'foo'; expected train, infer, decode, sort");
  EXPECT_EQ(complaint({"bench"}), "fovea bench: expected train, infer, decode, sort");
}

TEST(Usage, AWrongValueIsToldWhatWasExpected) {
  EXPECT_EQ(complaint({"train", "d", "--epochs", "0"}), "fovea train: --epochs: '0' is not a whole number from 1 to 100000");
  EXPECT_EQ(complaint({"train", "d", "--seed", "-1"}),
            "fovea train: --seed: '-1' is not a whole number from 0 to 9223372036854775807");
  EXPECT_EQ(complaint({"train", "d", "--epochs", "x"}), "fovea train: --epochs: 'x' is not a whole number from 1 to 100000");
  EXPECT_EQ(complaint({"train", "d", "--val", "2"}), "fovea train: --val: '2' is not a number from 0 to 0.9");
  EXPECT_EQ(complaint({"train", "d", "--time-budget", "-3"}), "fovea train: --time-budget: '-3' is not a number above 0");
  EXPECT_EQ(complaint({"predict", "m", "p", "--precision", "bf16"}),
            "fovea predict: --precision: 'bf16' is not one of auto, fp32");
  EXPECT_EQ(complaint({"predict", "m", "p", "--top"}), "fovea predict: --top needs a value");
  EXPECT_EQ(complaint({"predict", "m", "p", "--top", "1", "--top", "2"}), "fovea predict: --top is given more than once");
  EXPECT_EQ(complaint({"watch", "m", "c", "--every", "5"}),
            "fovea watch: --every: '5' is not a number with a unit (ms, s, m, h, d), such as 10m");
  EXPECT_TRUE(complaint({"bench", "sort", "--count", "abc"}).starts_with("fovea bench sort: --count: 'abc'"));
}

TEST(Usage, VersionIsOnStandardOutput) {
  const Finished run = run_fovea({"--version"});
  EXPECT_EQ(run.status, 0);
  EXPECT_TRUE(run.out.starts_with("fovea ")) << run.out;
}

TEST(Usage, UnknownFlagsAndWordsFail) {
  const std::vector<std::vector<std::string>> wrong = {{"train", "photos", "--epoch", "3"},
                                                       {"train", "photos", "--scope", "everything"},
                                                       {"predict", "m.safetensors", "a.jpg", "--threads", "-1"},
                                                       {"val", "m.safetensors"},
                                                       {"dance"}};
  for (const auto& arguments : wrong) {
    const Finished run = run_fovea(arguments);
    EXPECT_EQ(run.status, 2) << arguments[0];
    EXPECT_TRUE(run.out.empty()) << run.out;
    EXPECT_TRUE(contains(run.err, "--help")) << run.err;
  }
}

TEST(Usage, AMisspeltVerbNamesTheNearest) {
  const Finished near = run_fovea({"anotate", "--help"});
  EXPECT_EQ(near.status, 2);
  EXPECT_EQ(near.err, "fovea: there is no verb 'anotate'; did you mean 'annotate'?\nTry 'fovea --help'.\n");
  EXPECT_FALSE(contains(run_fovea({"photos"}).err, "did you mean"));
}

TEST(Usage, AMissingModelIsNamed) {
  const Finished run = run_fovea({"predict", "absent.safetensors", "a.jpg"});
  EXPECT_EQ(run.status, 2);
  EXPECT_TRUE(contains(run.err, "absent.safetensors")) << run.err;
  EXPECT_EQ(lines_of(run.err).size(), 1U) << run.err;
}

TEST(Usage, ADeviceThatCannotBeUsedIsAnError) {
  const TemporaryFolder folder;
  std::ofstream(folder / "model.safetensors") << "not a model";
  const Finished run = run_fovea({"predict", (folder / "model.safetensors").string(), "a.jpg", "--device", "quantum"});
  EXPECT_EQ(run.status, 2);
  EXPECT_TRUE(contains(run.err, "quantum")) << run.err;
}

TEST(Usage, AGpuThatIsNotThereEndsEveryVerb) {
  const Finished looked = run_fovea({"doctor", "--device", "cuda", "--no-measuring", "-q"});
  if (looked.status == 0) GTEST_SKIP() << "needs a machine or a build without a GPU";
  EXPECT_EQ(looked.status, 1);
  const TemporaryFolder folder;
  photo_file(folder / "data/a/1.png");
  photo_file(folder / "data/b/1.png");
  const std::string data = (folder / "data").string();
  const std::vector<std::vector<std::string>> commands = {{"train", data, "-o", (folder / "m").string()},
                                                          {"predict", "m.safetensors", "a.jpg"},
                                                          {"val", "m.safetensors", data},
                                                          {"check", data, "--no-network"},
                                                          {"plan", data}};
  for (std::vector<std::string> command : commands) {
    command.insert(command.end(), {"--device", "cuda:1"});
    const Finished run = run_fovea(command);
    EXPECT_EQ(run.status, 2) << command[0];
    EXPECT_TRUE(run.out.empty()) << run.out;
    EXPECT_TRUE(contains(run.err, "device cuda:1: ")) << run.err;
    EXPECT_EQ(lines_of(run.err).size(), 1U) << run.err;
  }
}

TEST(Usage, TheDoctorBeginsWithItsVerdict) {
  const Finished run = run_fovea({"doctor", "--no-measuring"});
  EXPECT_EQ(run.status, 0) << run.err;
  const auto lines = lines_of(run.out);
  ASSERT_GT(lines.size(), 5U);
  EXPECT_TRUE(contains(lines[0], "everything runs on")) << run.out;
  for (const std::string& line : lines) EXPECT_LE(line.size(), 80U) << line;
  const Finished json = run_fovea({"doctor", "--no-measuring", "--json"});
  EXPECT_EQ(lines_of(json.out).size(), 1U);
  EXPECT_TRUE(json.out.starts_with("{\"verdict\":")) << json.out;
}

TEST(Usage, AWordThatIsNoDeviceIsWrongUsage) {
  EXPECT_EQ(complaint({"doctor", "--device", "gpu"}),
            "fovea doctor: --device: 'gpu' is not a device: expected auto, cpu, cuda or cuda:N");
}

TEST(Usage, TheDoctorSaysOnceWhatIsTheSameForEveryVerb) {
  const Finished run = run_fovea({"doctor", "--no-measuring", "--device", "cpu"});
  EXPECT_EQ(run.status, 0) << run.err;
  EXPECT_TRUE(contains(run.out, "verbs        all on cpu: ")) << run.out;
}

TEST(Usage, AModelIsNotWrittenUnderTheNameOfAFolder) {
  const TemporaryFolder folder;
  photo_file(folder / "data/a/1.png");
  photo_file(folder / "data/b/1.png");
  for (const std::string& name : {folder.path().string() + "/", folder.path().string() + "/.", folder.path().string() + "/.."}) {
    const Finished run = run_fovea({"train", (folder / "data").string(), "-o", name, "--from-scratch", "--scope", "full"});
    EXPECT_EQ(run.status, 2);
    EXPECT_EQ(run.err, "fovea train: error: " + name + ": is a folder; give the name of a file\n");
  }
  EXPECT_FALSE(std::filesystem::exists(folder / ".safetensors"));
}

TEST(Usage, AnUnknownNetworkIsNotOneWhoseWeightsAreMissing) {
  const TemporaryFolder folder;
  photo_file(folder / "data/a/1.png");
  photo_file(folder / "data/b/1.png");
  const Finished run = run_fovea({"train", (folder / "data").string(), "-o", (folder / "m").string(), "--arch", "resnet50"});
  EXPECT_EQ(run.status, 2);
  EXPECT_TRUE(contains(run.err, "'resnet50' is not known; there are")) << run.err;
}

TEST(Usage, InfoSaysWhatItReadsAndGivesSizesThatMeanSomething) {
  const TemporaryFolder folder;
  photo_file(folder / "a.png");
  EXPECT_TRUE(contains(run_fovea({"info", (folder / "a.png").string()}).out, " kB\n"));
  std::ofstream(folder / "a.txt") << "hello";
  const Finished run = run_fovea({"info", (folder / "a.txt").string()});
  EXPECT_EQ(run.status, 2);
  EXPECT_TRUE(contains(run.err, "expected a safetensors or PyTorch file, a photo, or a folder of photos")) << run.err;
}

TEST(Usage, BenchNamesAFolderWithoutPhotosAndAFileThatIsNone) {
  const TemporaryFolder folder;
  const std::string path = folder.path().string();
  EXPECT_EQ(run_fovea({"bench", "decode", path}).err, "fovea bench decode: error: " + path + ": no photo there\n");
  EXPECT_EQ(run_fovea({"bench", "decode", path + "/none.jpg"}).err,
            "fovea bench decode: error: " + path + "/none.jpg: cannot open: No such file or directory\n");
}

TEST(Usage, AnEmptyFolderSaysWhichLayoutsAreUnderstood) {
  const TemporaryFolder folder;
  const Finished run = run_fovea({"train", folder.path().string(), "-o", (folder / "m").string()});
  EXPECT_EQ(run.status, 2);
  EXPECT_TRUE(contains(run.err, "folder")) << run.err;
}

TEST(Usage, ABrokenModelFileIsOneLine) {
  const TemporaryFolder folder;
  std::ofstream(folder / "m.safetensors") << std::string(4096, '\x7F');
  const Finished run = run_fovea({"info", (folder / "m.safetensors").string()});
  EXPECT_EQ(run.status, 2);
  EXPECT_EQ(lines_of(run.err).size(), 1U) << run.err;
  EXPECT_TRUE(contains(run.err, "m.safetensors")) << run.err;
}

}  // namespace
}  // namespace fovea::test
