// SPDX-License-Identifier: Apache-2.0
//
// The checkout scale as a person starts it.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "data/photos.h"
#include "support/paths.h"
#include "support/process.h"

namespace fovea::test {
namespace {

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

class ScaleTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    FOVEA_NEEDS_SHARED("weights/efficientnet_lite0.safetensors");
    folder = std::make_unique<TemporaryFolder>();
    for (int i = 0; i < 8; ++i) {
      photo_file(*folder / ("data/red/" + std::to_string(i) + ".png"),
                 flat_photo(64, 64, static_cast<std::uint8_t>(200 + i), 10, 10));
      photo_file(*folder / ("data/blue/" + std::to_string(i) + ".png"),
                 flat_photo(64, 64, 10, 10, static_cast<std::uint8_t>(200 + i)));
    }
    photo_file(*folder / "show/1.png", flat_photo(64, 64, 210, 10, 10));
    photo_file(*folder / "show/2.png", flat_photo(64, 64, 10, 10, 210));
    const Finished run =
        run_fovea({"train", (*folder / "data").string(), "-o", model(), "--scope", "head", "--fit", "squash", "--size", "64",
                   "-q", "--weights", shared_path("weights/efficientnet_lite0.safetensors").string()});
    ASSERT_EQ(run.status, 0) << run.err;
  }
  static void TearDownTestSuite() { folder.reset(); }
  void SetUp() override { FOVEA_NEEDS_SHARED("weights/efficientnet_lite0.safetensors"); }
  static std::string model() { return (*folder / "model.safetensors").string(); }
  static std::string show() { return (*folder / "show").string(); }

  static std::unique_ptr<TemporaryFolder> folder;
};
std::unique_ptr<TemporaryFolder> ScaleTest::folder;

TEST_F(ScaleTest, APhotoAfterAnotherIsAnsweredInLines) {
  const Finished run = run_fovea({"scale", model(), show(), "--hold", "1500ms", "--port", "0", "--sure", "0.5"});
  EXPECT_EQ(run.status, 0) << run.err;
  std::vector<std::string> sure;
  for (const std::string& line : lines_of(run.out)) {
    const auto json = nlohmann::json::parse(line);
    if (json["state"] == "sure") sure.push_back(json["answers"][0]["label"]);
  }
  EXPECT_EQ(sure, (std::vector<std::string>{"red", "blue"})) << run.out << run.err;
  EXPECT_TRUE(contains(run.err, "page: http://127.0.0.1:")) << run.err;
  EXPECT_TRUE(contains(run.err, "2 items")) << run.err;
}

TEST_F(ScaleTest, WhatMakesNoSenseIsOneLine) {
  const std::vector<std::vector<std::string>> wrong = {
      {"scale", model(), "/no/such/camera"},
      {"scale", "absent.safetensors", show()},
      {"scale", model(), "command:"},
      {"scale", model(), show(), "--sure", "7"},
      {"scale", model(), show(), "--empty", "absent.jpg"},
      {"scale", model(), show(), "--weight", "/dev/ttyS9", "--weight-baud", "7"}};
  for (const auto& arguments : wrong) {
    const Finished run = run_fovea(arguments);
    EXPECT_EQ(run.status, 2) << run.err;
    EXPECT_TRUE(run.out.empty()) << run.out;
    EXPECT_EQ(lines_of(run.err).size(), 1U) << run.err;
  }
}

TEST_F(ScaleTest, AWeightFromWhichOnIsANumberAboveNothing) {
  for (const char* grams : {"nan", "-5", "0"}) {
    const Finished run = run_fovea({"scale", model(), show(), "--hold", "10ms", "--port", "0", "--least", grams});
    EXPECT_EQ(run.status, 2) << grams;
    EXPECT_TRUE(contains(run.err, "--least")) << run.err;
  }
}

TEST_F(ScaleTest, SigtermEndsItCleanly) {
  // A reader that has gone ends it too; here the shell sends the signal after a second.
  const std::string command = "'" + program().string() + "' scale '" + model() + "' '" + show() +
                              "' --loop --no-page -q & sleep 1.5; kill -TERM $!; wait $!";
  const Finished run = run_program({"/bin/sh", "-c", command});
  EXPECT_EQ(run.status, 0) << run.err;
  EXPECT_FALSE(run.out.empty());
}

}  // namespace
}  // namespace fovea::test
