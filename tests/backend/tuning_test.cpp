// What is timed may choose between kernels only where that shows in no bit.
// SPDX-License-Identifier: Apache-2.0
#include "core/tuning.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "backend/registry.h"
#include "runtime/executor.h"
#include "runtime/machine_tuning.h"
#include "support/paths.h"

namespace fovea {
namespace {

constexpr std::int64_t kImages = 1, kSide = 29, kChannels = 5, kColumns = 71;

graph::Graph network() {
  graph::Graph graph;
  const auto x = graph.input("x", {kImages, kSide, kSide, kChannels});
  const auto wide = graph.add(graph::Conv2d{{3, 3, 2, {1, 1, 1, 1}}, graph::Activation::kSilu},
                              {x, graph.parameter("w1", {40, kChannels, 3, 3}), graph.parameter("b1", {40})});
  const auto pointwise =
      graph.add(graph::Conv2d{{}, graph::Activation::kRelu6}, {wide, graph.parameter("w2", {kColumns, 40, 1, 1})});
  const graph::InvertedResidual block{.window = {3, 3, 2, {1, 1, 1, 1}}, .activation = graph::Activation::kRelu6};
  const auto narrow = graph.add(block, {pointwise, graph.parameter("we", {90, kColumns, 1, 1}), graph.parameter("be", {90}),
                                        graph.parameter("wd", {90, 1, 3, 3}), graph.parameter("bd", {90}),
                                        graph.parameter("wp", {kColumns, 90, 1, 1}), graph.parameter("bp", {kColumns})});
  const auto pooled = graph.add(graph::GlobalAveragePool{}, {narrow});
  graph.mark_output("y",
                    graph.add(graph::Linear{}, {pooled, graph.parameter("w3", {300, kColumns}), graph.parameter("b3", {300})}));
  graph.mark_output("inner", pointwise);
  return graph;
}

/// Every output of the network, computed with what `tuning` chooses.
std::vector<float> outputs(const std::shared_ptr<Tuning>& tuning, int threads) {
  Context context;
  context.threads = threads;
  context.tuning = tuning;
  const auto backend = make_backend("cpu");
  auto plan = Plan::make(context, network(), **backend, {.constant_weights = true});
  EXPECT_TRUE(plan) << plan.error().message;
  Executor executor(*plan);
  std::vector<std::vector<float>> leaves;
  float next = 0;
  for (const graph::Value& value : (*plan)->graph().values()) {
    if (value.role == graph::Role::kIntermediate) continue;
    std::vector<float> values(static_cast<std::size_t>(value.shape.elements()));
    for (float& each : values) each = next = next > 1 ? next - 1.93F : next + 0.37F;
    leaves.push_back(std::move(values));
    executor.bind(value.name, leaves.back().data());
  }
  executor.prepare_weights();
  executor.run();
  std::vector<float> all;
  for (const char* name : {"y", "inner"}) {
    const auto values = executor.output(name).floats();
    all.insert(all.end(), values.begin(), values.end());
  }
  return all;
}

std::string text_of(const std::filesystem::path& file) {
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  return text.str();
}

TEST(CpuTuning, NoChoiceShowsInTheBits) {
  const test::TemporaryFolder folder;
  const auto file = folder / "tuning.txt";
  for (const int threads : {1, 2, 3}) {
    std::filesystem::remove(file);
    const std::vector<float> fixed = outputs(nullptr, threads);
    EXPECT_EQ(outputs(std::make_shared<Tuning>(file, "m"), threads), fixed);
    const std::string learnt = text_of(file);
    // A line for each of the four layers, whose number is now set to every choice there may be.
    for (int choice = 0; choice < 12; ++choice) {
      std::istringstream lines(learnt);
      std::ofstream changed(file);
      int layers = 0;
      for (std::string line; std::getline(lines, line);) {
        const bool is_choice = line.find(" threads, ") != std::string::npos;
        layers += is_choice ? 1 : 0;
        changed << (is_choice ? std::to_string(choice) + line.substr(line.find(' ')) : line) << '\n';
      }
      changed.close();
      if (threads > 1) {
        ASSERT_EQ(layers, 4);
      }
      EXPECT_EQ(outputs(std::make_shared<Tuning>(file, "m"), threads), fixed)
          << "choice " << choice << ", " << threads << " threads";
    }
  }
}

TEST(CpuTuning, WhoOnlyReadsMeasuresNothing) {
  const test::TemporaryFolder folder;
  const auto file = folder / "tuning.txt";
  const std::vector<float> fixed = outputs(nullptr, 2);
  EXPECT_EQ(outputs(std::make_shared<Tuning>(file, "m", Tuning::Mode::kReadOnly), 2), fixed);
  EXPECT_FALSE(std::filesystem::exists(file));
}

TEST(CpuTuning, AChoiceIsKeptAndNotMadeAgain) {
  const test::TemporaryFolder folder;
  const auto file = folder / "tuning.txt";
  (void)outputs(std::make_shared<Tuning>(file, "m"), 2);
  const std::string first = text_of(file);
  ASSERT_FALSE(first.empty());
  const auto written = std::filesystem::last_write_time(file);
  (void)outputs(std::make_shared<Tuning>(file, "m"), 2);
  EXPECT_EQ(std::filesystem::last_write_time(file), written);
  EXPECT_EQ(text_of(file), first);
}

/// A variable of the environment for as long as it lives.
class Setting {
 public:
  Setting(const char* name, const char* value) : name_(name) {
    if (const char* before = std::getenv(name)) before_ = before;
    setenv(name, value, 1);
  }
  ~Setting() { before_.empty() ? unsetenv(name_) : setenv(name_, before_.c_str(), 1); }
  Setting(const Setting&) = delete;
  Setting& operator=(const Setting&) = delete;

 private:
  const char* name_;
  std::string before_;
};

TEST(MachineTuning, LiesInTheCacheFolderUnlessTurnedOff) {
  const test::TemporaryFolder folder;
  const Setting cache("XDG_CACHE_HOME", folder.path().c_str());
  {
    const Setting off("FOVEA_TUNE", "off");
    EXPECT_EQ(machine_tuning(Tuning::Mode::kMeasure), nullptr);
  }
  const Setting on("FOVEA_TUNE", "on");
  const auto tuning = machine_tuning(Tuning::Mode::kMeasure);
  ASSERT_NE(tuning, nullptr);
  tuning->keep("layer", 1);
  ASSERT_TRUE(tuning->save());
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder / "fovea/tuning"), {}), 1);
  EXPECT_EQ(machine_tuning(Tuning::Mode::kReadOnly)->find("layer"), 1U);
}

}  // namespace
}  // namespace fovea
