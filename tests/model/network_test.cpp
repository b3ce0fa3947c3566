// SPDX-License-Identifier: Apache-2.0
#include "model/network.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "model/network_builder.h"
#include "model/registry.h"

namespace fovea {
namespace {

NetworkSpec spec_of(std::string_view name, int classes = 1000) {
  NetworkSpec spec = find_architecture(name)->spec;
  spec.classes = classes;
  return spec;
}

std::int64_t parameter_count(const NetworkSpec& spec) {
  const auto graph = build_network(spec);
  EXPECT_TRUE(graph.ok());
  std::int64_t count = 0;
  for (const graph::Value& value : graph->values()) {
    if (value.role == graph::Role::kParameter) count += value.shape.elements();
  }
  return count;
}

Shape output_shape(const graph::Graph& graph, std::string_view name) {
  const auto id = graph.output(name);
  return id ? graph.shape(*id) : Shape{};
}

/// Published: torchvision's documentation; the EfficientNet-Lite model card; the configuration files of YOLO11.
TEST(Network, ParameterCountsArePublishedOnes) {
  EXPECT_EQ(parameter_count(spec_of("mobilenet_v2")), 3'504'872);
  EXPECT_EQ(parameter_count(spec_of("efficientnet_lite0")), 4'652'008);
  EXPECT_EQ(parameter_count(spec_of("efficientnet_lite4")), 13'006'568);
  EXPECT_EQ(parameter_count(spec_of("yolo11n-cls", 80)), 1'633'584);
  EXPECT_EQ(parameter_count(spec_of("yolo11s-cls", 80)), 5'545'488);
  EXPECT_EQ(parameter_count(spec_of("yolo11m-cls", 80)), 10'455'696);
  EXPECT_EQ(parameter_count(spec_of("yolo11l-cls", 80)), 12'937'104);
  EXPECT_EQ(parameter_count(spec_of("yolo11x-cls", 80)), 28'458'544);
}

TEST(Network, EveryArchitectureBuildsAtEverySize) {
  for (const std::string& name : architecture_names()) {
    for (const auto& [height, width] : {std::pair{32, 32}, {640, 640}, {33, 97}, {225, 160}}) {
      NetworkSpec spec = spec_of(name, 3);
      spec.height = height;
      spec.width = width;
      const auto graph = build_network(spec, {.batch = 2, .norm = NormMode::kLive, .loss = true, .probabilities = true});
      ASSERT_TRUE(graph.ok()) << name << ' ' << height << 'x' << width << ": " << graph.error().message;
      // Every network halves five times; an odd size rounds up with either padding.
      const auto fifth = [](std::int64_t side) {
        for (int i = 0; i < 5; ++i) side = (side + 1) / 2;
        return side;
      };
      const Shape map = output_shape(*graph, "feature_map");
      EXPECT_EQ(map[1], fifth(height)) << name;
      EXPECT_EQ(map[2], fifth(width)) << name;
      EXPECT_EQ(output_shape(*graph, "features"), (Shape{2, map[3]}));
      EXPECT_EQ(output_shape(*graph, "logits"), (Shape{2, 3}));
      EXPECT_EQ(output_shape(*graph, "probabilities"), (Shape{2, 3}));
      EXPECT_EQ(output_shape(*graph, "loss"), Shape{1});
    }
  }
}

TEST(Network, PaddingOfTensorFlowPutsTheOddZeroAfter) {
  using Pad = graph::Window::Pad;
  EXPECT_EQ(padding_for(PaddingStyle::kSame, 224, 225, 3, 2), (Pad{0, 1, 1, 1}));
  EXPECT_EQ(padding_for(PaddingStyle::kSame, 28, 27, 5, 2), (Pad{1, 2, 2, 2}));
  EXPECT_EQ(padding_for(PaddingStyle::kSame, 28, 27, 5, 1), (Pad{2, 2, 2, 2}));
  EXPECT_EQ(padding_for(PaddingStyle::kSame, 7, 7, 1, 1), Pad{});
  EXPECT_EQ(padding_for(PaddingStyle::kSymmetric, 224, 225, 3, 2), (Pad{1, 1, 1, 1}));
}

template <class Op>
std::int64_t count_of(const graph::Graph& graph) {
  return std::ranges::count_if(graph.nodes(), [](const graph::Node& node) { return std::holds_alternative<Op>(node.op); });
}

TEST(Network, FrozenStagesKeepTheirStatistics) {
  const NetworkSpec spec = spec_of("efficientnet_lite0", 5);
  const auto live = build_network(spec, {.batch = 4, .norm = NormMode::kLive, .loss = true});
  const auto tail = build_network(spec, {.batch = 4, .norm = NormMode::kLive, .frozen_stages = 16, .loss = true});
  ASSERT_TRUE(live.ok() && tail.ok());
  EXPECT_EQ(count_of<graph::BatchNorm>(*live), 0);
  EXPECT_EQ(count_of<graph::BatchNormTrain>(*live), 49);
  // Stages 16 and 17 are the last block, with three BatchNorms, and the final convolution.
  EXPECT_EQ(count_of<graph::BatchNormTrain>(*tail), 4);
  EXPECT_EQ(count_of<graph::UpdateRunningStatistics>(*tail), 4);
  EXPECT_EQ(count_of<graph::BatchNorm>(*tail), 45);
}

TEST(Network, StagesListEveryTensorOnce) {
  for (const std::string& name : architecture_names()) {
    const NetworkSpec spec = spec_of(name, 7);
    const auto graph = build_network(spec);
    const auto stages = parameters_by_stage(spec);
    ASSERT_TRUE(graph.ok() && stages.ok());
    std::set<std::string> listed;
    for (const auto& stage : *stages) {
      EXPECT_FALSE(stage.empty()) << name;
      listed.insert(stage.begin(), stage.end());
    }
    std::set<std::string> built;
    for (const graph::Value& value : graph->values()) {
      if (value.role == graph::Role::kParameter || value.role == graph::Role::kState) built.insert(value.name);
    }
    EXPECT_EQ(listed, built) << name;
    for (const std::string& tensor : built) {
      EXPECT_EQ(in_head(spec, tensor), std::ranges::count(stages->back(), tensor) == 1) << tensor;
    }
    EXPECT_TRUE(graph->output(fmt::format("stage/{}", stages->size() - 2)));
    EXPECT_FALSE(graph->output(fmt::format("stage/{}", stages->size() - 1)));
  }
}

TEST(Network, ConvHeadStandsOnTheFeatureMap) {
  NetworkSpec spec = spec_of("mobilenet_v2", 4);
  spec.head = HeadStyle::kConv;
  spec.head_channels = 16;
  const auto graph = build_network(spec, {.batch = 3, .loss = true});
  ASSERT_TRUE(graph.ok());
  const auto shape = [&](std::string_view name) { return graph->shape(*graph->find(name)); };
  EXPECT_EQ(shape("head.conv.weight"), (Shape{16, 1280, 3, 3}));
  EXPECT_EQ(shape("head.fc.weight"), (Shape{4, 16}));
  EXPECT_FALSE(graph->find("classifier.1.weight"));
  EXPECT_EQ(count_of<graph::Dropout>(*graph), 1);
  EXPECT_EQ(count_of<graph::Dropout>(*build_network(spec)), 0) << "dropout is for training";
}

TEST(Network, NumbersOutOfBoundsAreRefusedByName) {
  const auto message = [](auto change) {
    NetworkSpec spec;
    change(spec);
    const auto result = build_network(spec);
    return result.ok() ? std::string("accepted") : result.error().message;
  };
  EXPECT_EQ(message([](NetworkSpec& s) { s.height = 31; }), "height is 31, expected 32 to 640");
  EXPECT_EQ(message([](NetworkSpec& s) { s.width = 641; }), "width is 641, expected 32 to 640");
  EXPECT_EQ(message([](NetworkSpec& s) { s.classes = 0; }), "classes is 0, expected 1 to 100000");
  EXPECT_EQ(message([](NetworkSpec& s) { s.size = 5; }), "size is 5, expected 0 to 4");
  EXPECT_EQ(message([](NetworkSpec& s) { s.dropout = std::nan(""); }), "dropout is nan, expected 0 to 0.95");
  EXPECT_EQ(message([](NetworkSpec& s) { s.width_multiplier = 0.5; }), "width_multiplier is 0.5, expected 1 to 1");
  EXPECT_NE(message([](NetworkSpec& s) { s.family = NetworkFamily::kYolo11Cls; }).find("expected symmetric"), std::string::npos);
}

TEST(Network, LiveStatisticsNeedTwoValues) {
  NetworkSpec spec = spec_of("mobilenet_v2", 2);
  spec.height = 32;
  spec.width = 32;
  const auto refused = build_network(spec, {.batch = 1, .norm = NormMode::kLive});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().kind, Error::Kind::kUsage);
  EXPECT_TRUE(build_network(spec, {.batch = 2, .norm = NormMode::kLive}).ok());
}

TEST(Registry, NamesLeadToTheirNetworksAndBack) {
  for (const std::string& name : architecture_names()) {
    const auto found = find_architecture(name);
    ASSERT_TRUE(found.ok()) << name;
    EXPECT_EQ(found->name, name);
    EXPECT_EQ(architecture_name(found->spec), name);
    EXPECT_EQ(found->preprocess.height, found->spec.height);
  }
  EXPECT_EQ(find_architecture("efficientnet_lite3")->spec.height, 280);
  EXPECT_EQ(find_architecture("mobilenet_v2_0.6")->spec.width_multiplier, 0.6);
}

TEST(Registry, UnknownNamesAreAnsweredWithTheKnown) {
  for (const std::string_view name :
       {"resnet50", "efficientnet_lite5", "mobilenet_v2_", "mobilenet_v2_1.0x", "yolo11q-cls", ""}) {
    const auto refused = find_architecture(name);
    ASSERT_FALSE(refused.ok()) << name;
    EXPECT_NE(refused.error().message.find("efficientnet_lite0"), std::string::npos);
  }
  EXPECT_EQ(find_architecture("mobilenet_v2_9").error().kind, Error::Kind::kLimit);
}

}  // namespace
}  // namespace fovea
