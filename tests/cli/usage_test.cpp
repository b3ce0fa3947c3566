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
