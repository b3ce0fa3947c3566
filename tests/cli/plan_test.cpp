// SPDX-License-Identifier: Apache-2.0
//
// What a person gets who asks how long training would take.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "support/paths.h"
#include "support/process.h"
#include "train/tiny_data.h"

namespace fovea::test {
namespace {

using nlohmann::json;

class PlanVerb : public testing::Test {
 protected:
  void SetUp() override {
    ::setenv("XDG_CACHE_HOME", (folder_ / "cache").c_str(), 1);
    write_tiny_data(folder_ / "data");
  }
  [[nodiscard]] std::vector<std::string> command(std::vector<std::string> more = {}) const {
    std::vector<std::string> arguments{
        "plan", (folder_ / "data").string(), "--arch", "mobilenet_v2_0.35", "--size", "32", "--threads", "1", "--seconds",
        "0.05"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  }
  TemporaryFolder folder_;
};

TEST_F(PlanVerb, AnswersInATable) {
  const Finished run = run_fovea(command());
  EXPECT_EQ(run.status, 0) << run.err;
  const auto lines = lines_of(run.out);
  ASSERT_EQ(lines.size(), 2U) << run.out;
  EXPECT_TRUE(lines[0].starts_with("network ")) << run.out;
  EXPECT_TRUE(lines[1].starts_with("mobilenet_v2_0.35 ")) << run.out;
  for (const std::string& line : lines) EXPECT_LE(line.size(), 80U) << line;
  EXPECT_NE(run.err.find("--weights"), std::string::npos) << run.err;  // there are none in this cache
}

TEST_F(PlanVerb, APickAndALargerInputFitTheTerminalToo) {
  std::filesystem::create_directories(folder_ / "cache/fovea");
  write_tiny_weights(folder_ / "cache/fovea/mobilenet_v2_0.35.safetensors");
  const Finished run = run_fovea({"plan", (folder_ / "data").string(), "--arch", "mobilenet_v2_0.35", "--arch",
                                  "mobilenet_v2_0.5", "--threads", "1", "--seconds", "0.05"});
  EXPECT_EQ(run.status, 0) << run.err;
  const auto lines = lines_of(run.out);
  ASSERT_EQ(lines.size(), 5U) << run.out;
  for (const std::string& line : lines) EXPECT_LE(line.size(), 80U) << line;
  EXPECT_NE(lines[1].find("this one"), std::string::npos) << run.out;
  EXPECT_NE(lines[2].find("if it pays"), std::string::npos) << run.out;
  EXPECT_TRUE(lines[3].ends_with('*')) << run.out;
}

TEST_F(PlanVerb, AnswersInJson) {
  const Finished run = run_fovea(command({"--json", "--epochs", "3", "--scope", "full"}));
  EXPECT_EQ(run.status, 0) << run.err;
  const auto lines = lines_of(run.out);
  ASSERT_EQ(lines.size(), 2U) << run.out;
  const json network = json::parse(lines[0]);
  EXPECT_EQ(network["event"], "network");
  EXPECT_EQ(network["arch"], "mobilenet_v2_0.35");
  EXPECT_EQ(network["epochs"], 3);
  EXPECT_EQ(network["weights_here"], false);
  const double epochs = 3 * network["epoch"]["seconds"].get<double>();
  EXPECT_GT(network["whole"]["seconds"].get<double>(), network["head"]["seconds"].get<double>() + epochs - 1e-6);
  const json done = json::parse(lines[1]);
  EXPECT_EQ(done["event"], "done");
  EXPECT_EQ(done["train_photos"], 24);
  EXPECT_FALSE(done.contains("pick"));
}

TEST_F(PlanVerb, TellsThePrecisionAndItsReason) {
  Finished run = run_fovea(command({"--scope", "full", "--precision", "fp32"}));
  EXPECT_EQ(run.status, 0) << run.err;
  EXPECT_NE(run.err.find("Reckoned in fp32 on cpu, as asked."), std::string::npos) << run.err;
  run = run_fovea(command({"--scope", "full", "--bn", "live", "--gpu", "H200", "--gpu", "T4"}));
  EXPECT_EQ(run.status, 0) << run.err;
  EXPECT_NE(run.err.find("Reckoned in bf16 on H200, which --precision auto chooses: "), std::string::npos) << run.err;
  EXPECT_NE(run.err.find("Reckoned in fp32 on T4, which --precision auto chooses: "), std::string::npos) << run.err;
  for (const std::string& line : lines_of(run.out + run.err)) EXPECT_LE(line.size(), 80U) << line;
  run = run_fovea(command({"--scope", "full", "--gpu", "H200", "--precision", "tf32", "--json"}));
  const json network = json::parse(lines_of(run.out).at(0));
  EXPECT_EQ(network["precision"], "tf32");
  EXPECT_EQ(network["estimate"]["precision_tflops"], 494);
}

/// The words, the checks and the errors are those of train.
TEST_F(PlanVerb, PrecisionsAreThoseOfTrain) {
  for (const std::string word : {"fp8", "fp16"}) {
    std::vector<std::string> errors;
    for (const std::string verb : {"plan", "train"}) {
      const Finished run = run_fovea({verb, (folder_ / "data").string(), "--device", "cpu", "--precision", word});
      EXPECT_EQ(run.status, 2);
      const std::string line = lines_of(run.err).at(0);
      errors.push_back(line.substr(line.find(": ")));
    }
    EXPECT_EQ(errors[0], errors[1]);
  }
}

TEST_F(PlanVerb, SaysWhatIsWrong) {
  Finished run = run_fovea({"plan", (folder_ / "absent").string()});
  EXPECT_EQ(run.status, 2);
  EXPECT_EQ(lines_of(run.err).size(), 1U) << run.err;
  run = run_fovea({"plan", (folder_ / "data").string(), "--arch", "resnet_9000"});
  EXPECT_EQ(run.status, 2);
  EXPECT_NE(run.err.find("resnet_9000"), std::string::npos) << run.err;
}

}  // namespace
}  // namespace fovea::test
