// SPDX-License-Identifier: Apache-2.0
#include "annotate/records.h"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "support/paths.h"

namespace fovea::annotation {
namespace {

std::string text_of(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

TEST(Records, AreCsvAndJsonOfTheSame) {
  const test::TemporaryFolder folder;
  auto records = Records::create(folder / "a.csv", folder / "a.jsonl", {"clear", "semi, clear"});
  ASSERT_TRUE(records.ok());
  const std::vector<double> raw{0.25, 0.75};
  const std::vector<double> smooth{0.5, 0.5};
  ASSERT_TRUE(records->add({7, 1.25, true, false, raw, smooth}).ok());
  ASSERT_TRUE(records->finish().ok());
  EXPECT_EQ(text_of(folder / "a.csv"),
            "frame,seconds,label,rejected,classified,clear,\"semi, clear\",clear smooth,\"semi, clear smooth\"\n"
            "7,1.250,clear,0,1,0.250000,0.750000,0.500000,0.500000\n");
  const auto object = nlohmann::json::parse(text_of(folder / "a.jsonl"));
  EXPECT_EQ(object["frame"], 7);
  EXPECT_EQ(object["probabilities"]["semi, clear"], 0.75);
  EXPECT_EQ(object["smoothed"]["clear"], 0.5);
}

TEST(Records, AFullDiskIsAnError) {
  auto records = Records::create("/dev/full", {}, {"a"});
  if (!records) return;  // said at once
  const std::vector<double> one{1.0};
  Result<void> outcome = records->add({0, 0, true, false, one, one});
  if (outcome) outcome = records->finish();
  EXPECT_FALSE(outcome.ok());
}

}  // namespace
}  // namespace fovea::annotation
