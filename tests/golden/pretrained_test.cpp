// Fovea: pretrained weights at work, against PyTorch in double precision with the same weights (tools/make_goldens.py --weights).
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>

#include "backend/registry.h"
#include "golden/golden_values.h"
#include "graph/compile.h"
#include "model/weights.h"
#include "runtime/executor.h"
#include "support/paths.h"

namespace fovea::test {
namespace {

class Pretrained : public testing::TestWithParam<std::string> {};

TEST_P(Pretrained, GivesPyTorchsLogits) {
  const std::string weights = "weights/" + GetParam() + ".safetensors";
  FOVEA_NEEDS_SHARED(weights);
  const auto backbone = open_backbone(shared_path(weights), GetParam());
  ASSERT_TRUE(backbone.ok()) << backbone.error().message;
  auto graph = build_network(backbone->spec);
  ASSERT_TRUE(graph.ok());
  ParameterSet parameters(*graph);
  ASSERT_TRUE(fill_parameters(backbone->file, backbone->spec, parameters).ok());

  const auto backend = make_backend("cpu");
  ASSERT_TRUE(backend.ok());
  graph = graph::compile_for_use(*graph);
  auto plan = Plan::make({}, std::move(*graph), **backend, {.constant_weights = true, .bound_outputs = {}});
  ASSERT_TRUE(plan.ok()) << plan.error().message;
  Executor executor(*plan);
  std::vector<float> image = uniform_values("image 0", std::int64_t{3} * backbone->spec.height * backbone->spec.width, -1, 1);
  executor.bind("image", image.data());
  parameters.bind_to(executor);
  executor.prepare_weights();
  executor.run();

  const auto golden = open_weights(test_data("golden/data") / ("pretrained_" + GetParam() + ".safetensors"));
  ASSERT_TRUE(golden.ok()) << golden.error().message;
  const auto truth = golden->to_f32("logits");
  ASSERT_TRUE(truth.ok());
  const std::span<float> logits = executor.output("logits").floats();
  ASSERT_EQ(logits.size(), truth->size());
  double difference = 0;
  double norm = 0;
  for (std::size_t i = 0; i < logits.size(); ++i) {
    difference += std::pow(static_cast<double>(logits[i]) - (*truth)[i], 2);
    norm += std::pow(static_cast<double>((*truth)[i]), 2);
  }
  const double error = std::sqrt(difference / norm);
  fmt::print("[agreement ] cpu | {}, pretrained | logits | {:.1e}\n", GetParam(), error);
  EXPECT_LE(error, 1e-4);
}

std::string test_name(const testing::TestParamInfo<std::string>& test) { return test.param; }

INSTANTIATE_TEST_SUITE_P(Shared, Pretrained, testing::Values("efficientnet_lite0", "mobilenet_v2"), test_name);

}  // namespace
}  // namespace fovea::test
