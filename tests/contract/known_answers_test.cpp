// Fovea: the definitions against answers from another hand (tools/make_known_answers.py). Everything else is tested against them.
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "backend/reference/definition.h"
#include "support/paths.h"

namespace fovea::contract {
namespace {

using reference::Rounded;
using reference::Tensor;

/// Both sides computed in double, each in its own order.
constexpr double kUnitRoundoff = 0x1p-53;
constexpr double kSafety = 8;

const nlohmann::json& answers() {
  static const nlohmann::json parsed = nlohmann::json::parse(std::ifstream(test::test_data("contract/known_answers.json")));
  return parsed;
}

Shape shape_of(const nlohmann::json& tensor) { return Shape(tensor.at("shape").get<std::vector<std::int64_t>>()); }

void expect_answer(const std::string& name, const graph::Op& op) {
  SCOPED_TRACE(name);
  const auto& answer = answers().at(name);
  std::vector<std::vector<Rounded>> memory;
  std::vector<Tensor<const Rounded>> in;
  std::vector<Tensor<Rounded>> out;
  memory.reserve(answer.at("inputs").size() + answer.at("outputs").size());
  for (const auto& input : answer.at("inputs")) {
    const auto values = input.at("data").get<std::vector<double>>();
    memory.emplace_back(values.begin(), values.end());
    in.emplace_back(memory.back().data(), shape_of(input));
  }
  for (const auto& output : answer.at("outputs")) {
    memory.emplace_back(output.at("data").size());
    out.emplace_back(memory.back().data(), shape_of(output));
  }
  if (reference::reads_outputs(op)) {  // their first values come after the inputs
    for (std::size_t i = 0; i < out.size(); ++i) memory[in.size() + i] = memory[in.size() - out.size() + i];
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = {memory[in.size() + i].data(), out[i].shape()};
    in.resize(in.size() - out.size());
  }
  reference::evaluate(op, reference::Operands<Rounded>{in, out, {}});
  for (std::size_t i = 0; i < out.size(); ++i) {
    const auto wanted = answer.at("outputs").at(i).at("data").get<std::vector<double>>();
    for (std::size_t j = 0; j < wanted.size(); ++j) {
      const Rounded& got = out[i][static_cast<std::int64_t>(j)];
      EXPECT_NEAR(got.value, wanted[j], kSafety * kUnitRoundoff * (got.error + std::abs(got.value)))
          << "output " << i << " at " << j;
    }
  }
}

void evaluate(const graph::Op& op, const std::vector<Tensor<const double>>& in, const std::vector<Tensor<double>>& out) {
  reference::evaluate(op, reference::Operands<double>{in, out, {}});
}

TEST(known_answers, Windows) {
  expect_answer("Conv2d", graph::Conv2d{{3, 2, 2, {1, 0, 2, 1}}, graph::Activation::kSilu});
  expect_answer("DepthwiseConv2d", graph::DepthwiseConv2d{{3, 3, 1, {0, 1, 1, 1}}, graph::Activation::kRelu6});
}

TEST(known_answers, BatchNorm) {
  expect_answer("BatchNorm", graph::BatchNorm{0x1p-10F});
  expect_answer("BatchNormTrain", graph::BatchNormTrain{0x1p-10F, graph::Activation::kRelu});
  expect_answer("UpdateRunningStatistics", graph::UpdateRunningStatistics{0.25F, 12});
}

TEST(known_answers, ElementsAndChannels) {
  expect_answer("ActivateRelu", graph::Activate{graph::Activation::kRelu});
  expect_answer("ActivateRelu6", graph::Activate{graph::Activation::kRelu6});
  expect_answer("ActivateSilu", graph::Activate{graph::Activation::kSilu});
  expect_answer("Add", graph::Add{});
  expect_answer("Concat", graph::Concat{});
  expect_answer("SliceChannels", graph::SliceChannels{1, 3});
  expect_answer("PadChannels", graph::PadChannels{2, 6});
}

TEST(known_answers, HeadAndAttention) {
  expect_answer("Linear", graph::Linear{});
  expect_answer("GlobalAveragePool", graph::GlobalAveragePool{});
  expect_answer("Attention", graph::Attention{2, 3, 4});
  expect_answer("Softmax", graph::Softmax{});
  expect_answer("SoftmaxCrossEntropy", graph::SoftmaxCrossEntropy{});
  expect_answer("SigmoidBinaryCrossEntropy", graph::SigmoidBinaryCrossEntropy{});
}

/// Both activations fused into the backward of a depthwise convolution give what their own nodes around it give.
TEST(known_answers, FusedDepthwiseBackwardIsThreeNodes) {
  const Shape rows{1, 1, 3, 1}, window{1, 1, 1, 1}, vector{1};
  const graph::Window one{};
  const auto relu = graph::Activation::kRelu, relu6 = graph::Activation::kRelu6;
  const std::vector<double> x{0, 2, 6}, w{-3}, dy{5, 7, 11}, y{0, 4, 1};
  std::vector<double> dx(3), dw(1), db(1), dz(3), plain_dx(3), plain_dw(1), plain_db(1), expected_dx(3);
  evaluate(graph::DepthwiseConv2dBackward{one, relu, relu6},
           {{x.data(), rows}, {w.data(), window}, {dy.data(), rows}, {y.data(), rows}},
           {{dx.data(), rows}, {dw.data(), window}, {db.data(), vector}});
  evaluate(graph::ActivateBackward{relu}, {{y.data(), rows}, {dy.data(), rows}}, {{dz.data(), rows}});
  evaluate(graph::DepthwiseConv2dBackward{one}, {{x.data(), rows}, {w.data(), window}, {dz.data(), rows}, {y.data(), rows}},
           {{plain_dx.data(), rows}, {plain_dw.data(), window}, {plain_db.data(), vector}});
  evaluate(graph::ActivateBackward{relu6}, {{x.data(), rows}, {plain_dx.data(), rows}}, {{expected_dx.data(), rows}});
  // Whole numbers: no rounding.
  EXPECT_EQ(dx, expected_dx);
  EXPECT_EQ(dx, (std::vector<double>{0, -21, 0}));
  EXPECT_EQ(dw, plain_dw);
  EXPECT_EQ(dw, (std::vector<double>{80}));
  EXPECT_EQ(db, plain_db);
  EXPECT_EQ(db, (std::vector<double>{18}));
}

/// Weights folded into a convolution give what the convolution and its BatchNorm give one after the other.
TEST(known_answers, FoldedBatchNormIsBatchNorm) {
  std::vector<double> x{1.5, -2}, w{0.5, -1, 2, 0.25}, gamma{2, -1}, beta{0.5, 3}, mean{-1, 0.5}, var{4, 0.25};
  std::vector<double> folded(4), bias(2), convolved(2), normalised(2), expected(2);
  const Shape pixel{1, 1, 1, 2}, square{2, 2, 1, 1}, vector{2};
  const float eps = 1e-3F;
  evaluate(graph::FoldBatchNorm{eps},
           {{w.data(), square}, {gamma.data(), vector}, {beta.data(), vector}, {mean.data(), vector}, {var.data(), vector}},
           {{folded.data(), square}, {bias.data(), vector}});
  evaluate(graph::Conv2d{}, {{x.data(), pixel}, {folded.data(), square}, {bias.data(), vector}}, {{normalised.data(), pixel}});
  evaluate(graph::Conv2d{}, {{x.data(), pixel}, {w.data(), square}}, {{convolved.data(), pixel}});
  evaluate(
      graph::BatchNorm{eps},
      {{convolved.data(), pixel}, {gamma.data(), vector}, {beta.data(), vector}, {mean.data(), vector}, {var.data(), vector}},
      {{expected.data(), pixel}});
  // Ten operations on numbers below 16.
  for (std::size_t i = 0; i < 2; ++i) EXPECT_NEAR(normalised[i], expected[i], 10 * 16 * kUnitRoundoff);
}

}  // namespace
}  // namespace fovea::contract
