// SPDX-License-Identifier: Apache-2.0
//
// What a person gets who asks how fast the machine is.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "data/photos.h"
#include "support/paths.h"
#include "support/process.h"

namespace fovea::test {
namespace {

using nlohmann::json;

/// `fovea bench WHAT ...`, brief.
Finished bench(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "bench");
  arguments.insert(arguments.end(), {"--seconds", "0.02", "--threads", "1,2"});
  return run_fovea(arguments);
}

std::vector<std::string> small_network(const char* what) {
  return {what, "--arch", "mobilenet_v2_0.35", "--size", "32", "--batch", "2"};
}

/// A table with a head and so many rows, no wider than a terminal.
void expect_table(const Finished& run, std::size_t rows, const std::string& begins) {
  EXPECT_EQ(run.status, 0) << run.err;
  const auto lines = lines_of(run.out);
  ASSERT_EQ(lines.size(), rows + 1) << run.out;
  EXPECT_TRUE(lines[0].starts_with(begins)) << run.out;
  for (const std::string& line : lines) EXPECT_LE(line.size(), 80U) << line;
  for (const std::string& line : lines_of(run.err)) EXPECT_LE(line.size(), 80U) << line;
}

TEST(BenchVerb, Decodes) {
  const TemporaryFolder folder;
  photo_file(folder / "a.png", random_photo(40, 30, 1));
  photo_file(folder / "b.png", random_photo(30, 40, 2));
  expect_table(bench({"decode", folder.path().string()}), 2, "format ");
  text_file(folder / "c.jpg", "no photo");
  const Finished some = bench({"decode", folder.path().string()});
  EXPECT_EQ(some.status, 1);
  EXPECT_NE(some.err.find("c.jpg"), std::string::npos) << some.err;
  const Finished none = bench({"decode", (folder / "absent").string()});
  EXPECT_EQ(none.status, 2);
  EXPECT_NE(none.err.find("absent"), std::string::npos) << none.err;
}

TEST(BenchVerb, InfersAndTrains) {
  expect_table(bench(small_network("infer")), 2, "network ");
  expect_table(bench(small_network("train")), 2, "network ");
}

TEST(BenchVerb, Sorts) {
  const Finished run = bench({"sort", "--count", "300k"});
  expect_table(run, 2, "device ");
  EXPECT_NE(lines_of(run.out)[1].find(" 300000 "), std::string::npos) << run.out;
}

TEST(BenchVerb, AnswersInJson) {
  auto words = small_network("train");
  words.insert(words.end(), {"--json", "--bn", "live"});
  const Finished run = bench(words);
  EXPECT_EQ(run.status, 0) << run.err;
  const auto lines = lines_of(run.out);
  ASSERT_EQ(lines.size(), 2U) << run.out;
  const json row = json::parse(lines[1]);
  EXPECT_EQ(row["bench"], "train");
  EXPECT_EQ(row["batch"], 2);
  EXPECT_EQ(row["threads"], 2);
  EXPECT_GT(row["images_per_second"], 0);
  const Finished sorted = bench({"sort", "--count", "1000", "--json"});
  EXPECT_EQ(json::parse(lines_of(sorted.out).front())["sorted"], true);
}

TEST(BenchVerb, RefusesWhatMakesNoSense) {
  const std::vector<std::vector<std::string>> wrong = {{},
                                                       {"fly"},
                                                       {"decode"},
                                                       {"sort", "--count", "many"},
                                                       {"sort", "--count", "0"},
                                                       {"sort", "--count", "5X"},
                                                       {"sort", "--count", "900G"},
                                                       {"infer", "--arch", "resnet99"},
                                                       {"infer", "no-such-model.safetensors"},
                                                       {"infer", "m.safetensors", "--arch", "mobilenet_v2"},
                                                       {"train", "--bn", "warm"}};
  for (const auto& arguments : wrong) {
    const Finished run = bench(arguments);
    EXPECT_EQ(run.status, 2) << (arguments.empty() ? "" : arguments.back());
    EXPECT_TRUE(run.out.empty()) << run.out;
    EXPECT_FALSE(run.err.empty());
  }
}

TEST(BenchVerb, HelpBeginsWithAnExample) {
  for (const char* what : {"train", "infer", "decode", "sort"}) {
    const Finished help = run_fovea({"bench", what, "--help"});
    EXPECT_EQ(help.status, 0);
    EXPECT_NE(help.out.find(std::string("  fovea bench ") + what), std::string::npos) << help.out;
    for (const std::string& line : lines_of(help.out)) EXPECT_LE(line.size(), 110U) << line;
  }
  EXPECT_NE(run_fovea({"bench", "--help"}).out.find("decode     Photos from file"), std::string::npos);
}

}  // namespace
}  // namespace fovea::test
