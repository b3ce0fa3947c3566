// SPDX-License-Identifier: Apache-2.0
#include "train/precision.h"

#include <algorithm>

#include "core/error.h"

namespace fovea::training {
namespace {

using graph::Precision;

/// Asked about the kind of block that networks are made of.
bool has_bf16(const Backend& backend) {
  graph::Graph graph;
  const auto parameter = [&](const char* name, const Shape& shape) { return graph.parameter(name, shape); };
  const graph::InvertedResidual block{.window = {3, 3, 1, {1, 1, 1, 1}}, .expands = false, .precision = Precision::kBF16};
  graph.add(block, {graph.input("x", {1, 4, 4, 32}), parameter("wd", {32, 1, 3, 3}), parameter("bd", {32}),
                    parameter("wp", {16, 32, 1, 1}), parameter("bp", {16})});
  return backend.supports(graph, graph.nodes().front());
}

graph::Graph live_block(Precision precision) {
  graph::Graph graph;
  const auto parameter = [&](const char* name, const Shape& shape) { return graph.parameter(name, shape); };
  graph.add_all(graph::InvertedResidualTrain{.window = {3, 3, 1, {1, 1, 1, 1}}, .expands = false, .precision = precision},
                {graph.input("x", {1, 4, 4, 32}), parameter("wd", {32, 1, 3, 3}), parameter("gd", {32}), parameter("bd", {32}),
                 parameter("wp", {16, 32, 1, 1})});
  return graph;
}

bool has_bf16_convolutions(const Backend& backend) {
  graph::Graph graph;
  graph.add(graph::Conv2d{.window = {3, 3, 1, {1, 1, 1, 1}}, .precision = Precision::kBF16},
            {graph.input("x", {1, 4, 4, 32}), graph.parameter("w", {16, 32, 3, 3}), graph.parameter("b", {16})});
  return backend.supports(graph, graph.nodes().front());
}

bool has_bf16_live_blocks(const Backend& backend) {
  graph::Graph graph = live_block(Precision::kBF16);
  graph.keep_as(graph.nodes().front().outputs[1], DType::kBF16);
  return backend.supports(graph, graph.nodes().front());
}

}  // namespace

graph::Precisions precisions_of(Precision precision, const Backend& backend) {
  return {precision, has_bf16_convolutions(backend) ? precision : Precision::kF32,
          has_bf16_live_blocks(backend) ? precision : Precision::kF32};
}

Result<Precision> choose_precision(PrecisionChoice asked, const Backend& backend) {
  if (asked == PrecisionChoice::kFp32) return Precision::kF32;
  if (has_bf16(backend)) return Precision::kBF16;
  if (asked == PrecisionChoice::kAuto) return Precision::kF32;
  return fail(Error::Kind::kUnsupported,
              "precision bf16: the {} device has no kernels for it (a processor needs AMX or AVX512_BF16); try auto or fp32",
              backend.name());
}

graph::LiveBlocks live_blocks_of(const Backend& backend) {
  const graph::Graph graph = live_block(Precision::kF32);
  return backend.supports(graph, graph.nodes().front()) ? graph::LiveBlocks::kFused : graph::LiveBlocks::kOpByOp;
}

bool multiplies_bf16(const graph::Graph& graph) {
  return std::ranges::any_of(graph.nodes(), [](const graph::Node& node) {
    const auto* block = std::get_if<graph::InvertedResidual>(&node.op);
    const auto* live = std::get_if<graph::InvertedResidualTrain>(&node.op);
    const auto* convolution = std::get_if<graph::Conv2d>(&node.op);
    return (live != nullptr && live->precision == Precision::kBF16) ||
           (block != nullptr && block->precision == Precision::kBF16) ||
           (convolution != nullptr && convolution->precision == Precision::kBF16);
  });
}

}  // namespace fovea::training
