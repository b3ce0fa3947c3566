// SPDX-License-Identifier: Apache-2.0
//
// What a person meets who gets it wrong.
#include <gtest/gtest.h>

#include <fstream>

#include "support/paths.h"
#include "support/process.h"

namespace fovea::test {
namespace {

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

constexpr const char* kVerbs[] = {"train", "predict", "val", "check", "plan", "info", "tag", "untag", "find"};

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
