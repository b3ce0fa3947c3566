// SPDX-License-Identifier: Apache-2.0
#include "train/precision.h"

#include <gtest/gtest.h>

#include "backend/registry.h"

namespace fovea::training {
namespace {

/// A device whose kernels are all for 32-bit floats, and keep nothing.
class PlainBackend : public Backend {
 public:
  [[nodiscard]] std::string_view name() const override { return "plain"; }
  [[nodiscard]] bool supports(const graph::Graph& /*graph*/, const graph::Node& node) const override {
    const auto* block = std::get_if<graph::InvertedResidual>(&node.op);
    const auto* live = std::get_if<graph::InvertedResidualTrain>(&node.op);
    const auto* activate = std::get_if<graph::Activate>(&node.op);
    return (block == nullptr || block->precision == graph::Precision::kF32) &&
           (live == nullptr || live->precision == graph::Precision::kF32) && (activate == nullptr || !activate->keeps_slope) &&
           convolution_precision(node.op) == graph::Precision::kF32;
  }
  Result<std::unique_ptr<Kernel>> prepare(const Context& /*context*/, const graph::Graph& /*graph*/, const graph::Node& /*node*/,
                                          bool /*constant_weights*/) const override {
    return std::unique_ptr<Kernel>();
  }
};

/// And that has no kernel for a block with the batch's own statistics.
class OpByOpBackend final : public PlainBackend {
 public:
  [[nodiscard]] bool supports(const graph::Graph& graph, const graph::Node& node) const override {
    return PlainBackend::supports(graph, node) && !std::holds_alternative<graph::InvertedResidualTrain>(node.op);
  }
};

TEST(Precision, LiveBlocksAreOneOpWhereTheDeviceHasAKernelForIt) {
  EXPECT_EQ(live_blocks_of(PlainBackend()), graph::LiveBlocks::kFused);
  EXPECT_EQ(live_blocks_of(OpByOpBackend()), graph::LiveBlocks::kOpByOp);
}

TEST(Precision, AutoIsWhatTheDeviceIsMadeFor) {
  const auto reference = make_backend("reference");  // defines everything
  ASSERT_TRUE(reference.ok());
  EXPECT_EQ(*choose_precision(PrecisionChoice::kAuto, **reference), graph::Precision::kBF16);
  EXPECT_EQ(*choose_precision(PrecisionChoice::kFp32, **reference), graph::Precision::kF32);
  EXPECT_EQ(*choose_precision(PrecisionChoice::kAuto, PlainBackend()), graph::Precision::kF32);
}

TEST(Precision, TheReasonIsThatOfTheChoice) {
  using graph::Precision;
  EXPECT_EQ(precision_reason(PrecisionChoice::kAuto, Precision::kBF16, Precision::kBF16),
            "the products of convolutions, which this device multiplies so; sums and weights are fp32");
  EXPECT_EQ(precision_reason(PrecisionChoice::kAuto, Precision::kF32, Precision::kF32),
            "this device has no fast products of bf16 numbers");
  EXPECT_EQ(precision_reason(PrecisionChoice::kFp32, Precision::kF32, Precision::kF32), "");
  EXPECT_EQ(precision_reason(PrecisionChoice::kBf16, Precision::kBF16, Precision::kF32),
            "there is no convolution to train that this device multiplies otherwise");
}

TEST(Precision, ConvolutionsAreRoundedWhereTheDeviceHasKernelsForIt) {
  const auto reference = make_backend("reference");
  ASSERT_TRUE(reference.ok());
  EXPECT_EQ(precisions_of(graph::Precision::kBF16, **reference).convolutions, graph::Precision::kBF16);
  EXPECT_EQ(precisions_of(graph::Precision::kF32, **reference).convolutions, graph::Precision::kF32);
  const graph::Precisions plain = precisions_of(graph::Precision::kBF16, PlainBackend());
  EXPECT_EQ(plain.blocks, graph::Precision::kBF16);
  EXPECT_EQ(plain.convolutions, graph::Precision::kF32);
  EXPECT_EQ(plain.live_blocks, graph::Precision::kF32);
  EXPECT_EQ(plain.live_convolutions, graph::Precision::kF32);
  EXPECT_EQ(precisions_of(graph::Precision::kBF16, **reference).live_blocks, graph::Precision::kBF16);
  EXPECT_EQ(precisions_of(graph::Precision::kBF16, **reference).live_convolutions, graph::Precision::kBF16);
}

TEST(Precision, Tf32IsOnlyWhatIsAskedFor) {
  const auto reference = make_backend("reference");
  ASSERT_TRUE(reference.ok());
  EXPECT_EQ(*choose_precision(PrecisionChoice::kTf32, **reference), graph::Precision::kTF32);
  EXPECT_EQ(precisions_of(graph::Precision::kTF32, **reference).live_blocks, graph::Precision::kTF32);
  EXPECT_EQ(precisions_of(graph::Precision::kTF32, **reference).live_convolutions, graph::Precision::kTF32);
  const auto cpu = make_backend("cpu");
  ASSERT_TRUE(cpu.ok());
  const auto asked = choose_precision(PrecisionChoice::kTf32, **cpu);
  ASSERT_FALSE(asked.ok());
  EXPECT_EQ(asked.error().message,
            "precision tf32: the cpu device has no kernels for it (GPUs of compute capability 8.0 or later have them); try auto "
            "or fp32");
}

TEST(Precision, Fp16IsOnlyWhatIsAskedFor) {
  const auto reference = make_backend("reference");
  ASSERT_TRUE(reference.ok());
  EXPECT_EQ(*choose_precision(PrecisionChoice::kFp16, **reference), graph::Precision::kFP16);
  const graph::Precisions everywhere = precisions_of(graph::Precision::kFP16, **reference);
  EXPECT_EQ(everywhere.convolutions, graph::Precision::kFP16);
  EXPECT_EQ(everywhere.live_blocks, graph::Precision::kFP16);
  EXPECT_EQ(everywhere.live_convolutions, graph::Precision::kFP16);
  EXPECT_FALSE(everywhere.keep_expanded);
  const auto cpu = make_backend("cpu");
  ASSERT_TRUE(cpu.ok());
  const auto asked = choose_precision(PrecisionChoice::kFp16, **cpu);
  ASSERT_FALSE(asked.ok());
  EXPECT_EQ(asked.error().kind, Error::Kind::kUnsupported);
  EXPECT_EQ(asked.error().message,
            "precision fp16: the cpu device has no kernels for it (GPUs of compute capability 7.5 or later have them); try auto "
            "or fp32");
}

/// Ops that only move values do not ask what their products read.
TEST(Precision, TheCpuKeepsNothingInFp16) {
  const auto cpu = make_backend("cpu");
  ASSERT_TRUE(cpu.ok());
  graph::Graph graph;
  const graph::ValueId x = graph.input("x", {1, 4, 4, 8}), y = graph.add(graph::Activate{}, {x});
  EXPECT_TRUE((*cpu)->supports(graph, graph.nodes().front()));
  for (const graph::ValueId id : {x, y}) graph.keep_as(id, DType::kF16);
  EXPECT_FALSE((*cpu)->supports(graph, graph.nodes().front()));
}

TEST(Precision, ExpandedActivationsAreKeptInBf16WhereTheDeviceHasThat) {
  const auto reference = make_backend("reference");
  ASSERT_TRUE(reference.ok());
  EXPECT_TRUE(precisions_of(graph::Precision::kBF16, **reference).keep_expanded);
  EXPECT_FALSE(precisions_of(graph::Precision::kF32, **reference).keep_expanded);
  EXPECT_FALSE(precisions_of(graph::Precision::kBF16, PlainBackend()).keep_expanded);
}

TEST(Precision, SilusKeepTheirSlopesWhereTheDeviceHasThat) {
  const auto cpu = make_backend("cpu");
  ASSERT_TRUE(cpu.ok());
  EXPECT_EQ(precisions_of(graph::Precision::kF32, **cpu).slopes, graph::Slopes::kSilus);
  EXPECT_EQ(precisions_of(graph::Precision::kF32, PlainBackend()).slopes, graph::Slopes::kNobody);
  const auto reference = make_backend("reference");
  ASSERT_TRUE(reference.ok());
  EXPECT_EQ(precisions_of(graph::Precision::kF32, **reference).slopes, graph::Slopes::kSilus);
  EXPECT_EQ(precisions_of(graph::Precision::kBF16, **reference).slopes, graph::Slopes::kConvolutions);
}

TEST(Precision, WhatLiesBetweenBlocksIsKeptInBf16WhereTheDeviceHasThat) {
  const auto reference = make_backend("reference");
  ASSERT_TRUE(reference.ok());
  EXPECT_TRUE(precisions_of(graph::Precision::kBF16, **reference).round_ends);
  EXPECT_FALSE(precisions_of(graph::Precision::kTF32, **reference).round_ends);
  EXPECT_FALSE(precisions_of(graph::Precision::kBF16, PlainBackend()).round_ends);
}

TEST(Precision, WhatCannotBeHadIsNotReplaced) {
  const auto asked = choose_precision(PrecisionChoice::kBf16, PlainBackend());
  ASSERT_FALSE(asked.ok());
  EXPECT_EQ(asked.error().kind, Error::Kind::kUnsupported);
  EXPECT_EQ(asked.error().message,
            "precision bf16: the plain device has no kernels for it (processors with AMX or AVX512_BF16, and GPUs of compute "
            "capability "
            "8.0 or later have them); try auto or fp32");
}

}  // namespace
}  // namespace fovea::training
