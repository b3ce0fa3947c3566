// A sky that slowly worsens from clear to overcast, as `annotate` sees it: painted, learned and told by the programs as a person
// runs them.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/file.h"
#include "support/paths.h"
#include "support/process.h"

namespace fovea::test {
namespace {

constexpr int kFrames = 24;

struct Moment {
  std::string label;
  double clear = 0, semi_clear = 0, cloudy = 0;
};

/// What the last line of JSON of each frame says, smoothed over time as it is drawn.
std::vector<Moment> moments_of(const std::filesystem::path& jsonl) {
  const auto bytes = read_file(jsonl, std::size_t{1} << 20);
  EXPECT_TRUE(bytes.ok()) << bytes.error().message;
  std::vector<Moment> moments;
  for (const std::string& line : lines_of(std::string(reinterpret_cast<const char*>(bytes->data()), bytes->size()))) {
    const auto frame = nlohmann::json::parse(line);
    const auto& p = frame["smoothed"];
    moments.push_back({frame["label"], p["clear"], p["semi-clear"], p["cloudy"]});
  }
  return moments;
}

/// The frames at which `higher` first exceeds `lower`, each time after it did not.
template <class Value>
std::vector<int> crossings(const std::vector<Moment>& moments, const Value& lower, const Value& higher) {
  std::vector<int> frames;
  for (std::size_t i = 1; i < moments.size(); ++i) {
    const bool before = std::invoke(higher, moments[i - 1]) > std::invoke(lower, moments[i - 1]);
    const bool now = std::invoke(higher, moments[i]) > std::invoke(lower, moments[i]);
    if (before != now) frames.push_back(static_cast<int>(i));
  }
  return frames;
}

TEST(SkyVideo, ProbabilitiesCrossFromClearToSemiClearToCloudyOnceEach) {
  FOVEA_NEEDS_SHARED("weights/efficientnet_lite0.safetensors");
  const TemporaryFolder folder;
  const auto path = [&](const char* name) { return (folder / name).string(); };
  const std::string skies = (program().parent_path() / "fovea-skies").string();
  const auto run = [](const Finished& done) { ASSERT_EQ(done.status, 0) << done.err; };
  run(run_program({skies, path("skies"), "--count", "60", "--size", "160x120", "--seed", "11"}));
  run(run_program({skies, path("sky"), "--timelapse", std::to_string(kFrames), "--size", "192x144", "--seed", "3"}));
  run(run_fovea({"train", path("skies"), "-o", path("model"), "--scope", "head", "--fit", "squash", "--size", "96", "--seed", "1",
                 "--weights", shared_path("weights/efficientnet_lite0.safetensors").string()}));
  run(run_fovea({"annotate", path("model.safetensors"), path("sky") + "/frame-%04d.jpg", "--fps", "10", "-o", path("sky.mp4"),
                 "--jsonl", path("sky.jsonl"), "--quiet"}));
  if (HasFatalFailure()) return;

  const std::vector<Moment> moments = moments_of(path("sky.jsonl"));
  ASSERT_EQ(moments.size(), static_cast<std::size_t>(kFrames));
  std::vector<std::string> labels;
  for (const Moment& moment : moments) {
    if (labels.empty() || labels.back() != moment.label) labels.push_back(moment.label);
  }
  EXPECT_EQ(labels, (std::vector<std::string>{"clear", "semi-clear", "cloudy"}));
  const auto leaves_clear = crossings(moments, &Moment::clear, &Moment::semi_clear);
  const auto reaches_cloudy = crossings(moments, &Moment::semi_clear, &Moment::cloudy);
  ASSERT_EQ(leaves_clear.size(), 1U);
  ASSERT_FALSE(reaches_cloudy.empty());
  EXPECT_EQ(crossings(moments, &Moment::clear, &Moment::cloudy).size(), 1U);
  EXPECT_LT(leaves_clear.front(), reaches_cloudy.back());
  // Half a second of smoothing moves neither out of the middle of 2.4 s.
  EXPECT_GT(leaves_clear.front(), kFrames / 6);
  EXPECT_LT(reaches_cloudy.back(), kFrames * 5 / 6);
}

}  // namespace
}  // namespace fovea::test
