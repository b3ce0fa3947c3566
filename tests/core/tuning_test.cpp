// SPDX-License-Identifier: Apache-2.0
#include "core/tuning.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

#include "support/paths.h"

namespace fovea {
namespace {

namespace fs = std::filesystem;

class TuningFile : public testing::Test {
 protected:
  TuningFile() : file_(folder_.path() / "deep" / "file.txt") {
    Tuning tuning(file_, "a machine");
    tuning.keep("a layer of 3", 2);
    tuning.keep("another", 0);
    EXPECT_TRUE(tuning.save());
  }
  [[nodiscard]] std::string text() const {
    std::ostringstream text;
    text << std::ifstream(file_).rdbuf();
    return text.str();
  }
  void write(const std::string& text) const { std::ofstream(file_) << text; }

  test::TemporaryFolder folder_;
  fs::path file_;
};

TEST_F(TuningFile, KeepsWhatWasChosen) {
  const Tuning again(file_, "a machine");
  EXPECT_EQ(again.find("a layer of 3"), 2U);
  EXPECT_EQ(again.find("another"), 0U);
  EXPECT_FALSE(again.find("a third"));
}

TEST_F(TuningFile, OfAnotherMachineCountsAsEmptyAndIsRewritten) {
  Tuning other(file_, "another machine");
  EXPECT_FALSE(other.find("another"));
  other.keep("another", 1);
  ASSERT_TRUE(other.save());
  EXPECT_EQ(Tuning(file_, "another machine").find("another"), 1U);
  EXPECT_FALSE(Tuning(file_, "a machine").find("another"));
}

TEST_F(TuningFile, DamagedCountsAsEmptyAndIsRewritten) {
  const std::string whole = text();
  for (const std::string& damaged :
       {whole.substr(0, whole.size() / 2), whole.substr(0, whole.size() - 3), std::string("\0\xff\x7f", 3), std::string(),
        "fovea tuning 1\na machine\nx layer\nend\n" + whole,
        std::string("fovea tuning 1\na machine\n99999999999999999999 layer\nend\n")}) {
    write(damaged);
    Tuning tuning(file_, "a machine");
    EXPECT_FALSE(tuning.find("another")) << damaged;
    tuning.keep("new", 1);
    ASSERT_TRUE(tuning.save());
    EXPECT_EQ(Tuning(file_, "a machine").find("new"), 1U);
  }
}

TEST_F(TuningFile, OfTwoWritersKeepsWhatBothFound) {
  Tuning one(file_, "a machine"), other(file_, "a machine");
  one.keep("of one", 1);
  other.keep("of the other", 3);
  ASSERT_TRUE(one.save());
  ASSERT_TRUE(other.save());
  const Tuning both(file_, "a machine");
  EXPECT_EQ(both.find("of one"), 1U);
  EXPECT_EQ(both.find("of the other"), 3U);
  EXPECT_EQ(both.find("a layer of 3"), 2U);
}

TEST_F(TuningFile, IsWholeWhileTwoProcessesWriteIt) {
  const pid_t child = ::fork();
  for (std::size_t i = 0; i < 200; ++i) {
    Tuning tuning(file_, "a machine");
    const bool whole = tuning.find("another").has_value();
    tuning.keep((child == 0 ? "child " : "parent ") + std::to_string(i % 7), i % 3);
    const bool saved = tuning.save().ok();
    if (child == 0 && (!whole || !saved)) ::_exit(1);
    EXPECT_TRUE(whole);
    EXPECT_TRUE(saved);
  }
  if (child == 0) ::_exit(0);
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

TEST_F(TuningFile, StaysBounded) {
  Tuning tuning(file_, "a machine");
  for (std::size_t i = 0; i < 3 * Tuning::kMostChoices; ++i) tuning.keep("layer " + std::to_string(i), i % 3);
  ASSERT_TRUE(tuning.save());
  EXPECT_LT(fs::file_size(file_), Tuning::kMostChoices * 20);
  const std::size_t last = 3 * Tuning::kMostChoices - 1;
  EXPECT_EQ(Tuning(file_, "a machine").find("layer " + std::to_string(last)), last % 3);
}

TEST_F(TuningFile, WhereItCannotBeWrittenSaysSo) {
  Tuning tuning("/proc/no/such/folder/file", "a machine");
  EXPECT_TRUE(tuning.save()) << "nothing to write";
  tuning.keep("a", 1);
  EXPECT_FALSE(tuning.save());
  EXPECT_EQ(tuning.find("a"), 1U);
}

}  // namespace
}  // namespace fovea
