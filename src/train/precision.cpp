// SPDX-License-Identifier: Apache-2.0
#include "train/precision.h"

#include <algorithm>

#include "backend/gpu_precisions.h"
#include "core/error.h"
#include "graph/passes.h"

namespace fovea::training {
namespace {

using graph::Precision;

/// What of a block is kept in bf16.
enum class Kept : std::uint8_t { kNothing, kExpanded, kEnds };

/// Asked about the kind of block that networks are made of.
bool has_blocks(Precision precision, const Backend& backend, Kept kept = Kept::kNothing) {
  graph::Graph graph;
  const auto parameter = [&](const char* name, const Shape& shape) { return graph.parameter(name, shape); };
  const graph::InvertedResidual block{
      .window = {3, 3, 1, {1, 1, 1, 1}}, .precision = precision, .keeps_expanded = kept == Kept::kExpanded};
  const graph::ValueId x = graph.input("x", {1, 4, 4, 16});
  const auto made =
      graph.add_all(block, {x, parameter("we", {32, 16, 1, 1}), parameter("be", {32}), parameter("wd", {32, 1, 3, 3}),
                            parameter("bd", {32}), parameter("wp", {16, 32, 1, 1}), parameter("bp", {16})});
  if (kept == Kept::kExpanded) graph.keep_as(made[1], DType::kBF16);
  if (kept == Kept::kEnds) {
    graph.keep_as(x, DType::kBF16);
    graph.keep_as(made[0], DType::kBF16);
  }
  return backend.supports(graph, graph.nodes().front());
}

bool has_convolutions(Precision precision, const Backend& backend) {
  graph::Graph graph;
  graph.add(graph::Conv2d{.window = {3, 3, 1, {1, 1, 1, 1}}, .precision = precision},
            {graph.input("x", {1, 4, 4, 32}), graph.parameter("w", {16, 32, 3, 3}), graph.parameter("b", {16})});
  return backend.supports(graph, graph.nodes().front());
}

bool keeps_slope(const graph::Op& op, const Backend& backend) {
  graph::Graph graph;
  const bool convolution = std::holds_alternative<graph::Conv2d>(op);
  std::vector<graph::ValueId> inputs{graph.input("x", {1, 4, 4, 16})};
  if (convolution) inputs.insert(inputs.end(), {graph.parameter("w", {16, 16, 1, 1}), graph.parameter("b", {16})});
  graph.add_all(op, std::move(inputs));
  return backend.supports(graph, graph.nodes().front());
}

bool has_fused_gradients(Precision precision, const Backend& backend) {
  graph::Graph graph;
  const Shape shape{1, 4, 4, 16};
  graph.add(graph::Conv2dBackwardInput{.window = {}, .input = shape, .precision = precision, .adds = true, .by_slope = true},
            {graph.input("dy", shape), graph.parameter("w", {16, 16, 1, 1}), graph.input("a", shape), graph.input("s", shape)});
  return backend.supports(graph, graph.nodes().front());
}

graph::Slopes slopes_of(Precision precision, const Backend& backend) {
  constexpr auto kSilu = graph::Activation::kSilu;
  if (!keeps_slope(graph::Activate{kSilu, true}, backend)) return graph::Slopes::kNobody;
  const graph::Conv2d convolution{.activation = kSilu, .precision = precision, .keeps_slope = true};
  const bool fused =
      precision == Precision::kBF16 && keeps_slope(convolution, backend) && has_fused_gradients(precision, backend);
  return fused ? graph::Slopes::kConvolutions : graph::Slopes::kSilus;
}

/// One whose sums a BatchNorm reads as they are kept in that precision.
bool has_live_convolutions(Precision precision, const Backend& backend) {
  graph::Graph graph;
  const Shape channels{16};
  const graph::ValueId sums = graph.add(graph::Conv2d{.window = {3, 3, 1, {1, 1, 1, 1}}, .precision = precision},
                                        {graph.input("x", {1, 4, 4, 32}), graph.parameter("w", {16, 32, 3, 3})});
  const auto made =
      graph.add_all(graph::BatchNormTrain{}, {sums, graph.parameter("g", channels), graph.parameter("b", channels)});
  for (const graph::ValueId kept : {sums, made[0]}) graph.keep_as(kept, graph::kept_type(precision));
  return std::all_of(graph.nodes().begin(), graph.nodes().end(),
                     [&](const graph::Node& node) { return backend.supports(graph, node); });
}

bool has_live_blocks(Precision precision, const Backend& backend) {
  graph::Graph graph;
  const auto parameter = [&](const char* name, const Shape& shape) { return graph.parameter(name, shape); };
  const auto made =
      graph.add_all(graph::InvertedResidualTrain{.window = {3, 3, 1, {1, 1, 1, 1}}, .expands = false, .precision = precision},
                    {graph.input("x", {1, 4, 4, 32}), parameter("wd", {32, 1, 3, 3}), parameter("gd", {32}),
                     parameter("bd", {32}), parameter("wp", {16, 32, 1, 1})});
  graph.keep_as(made[1], graph::kept_type(precision));
  return backend.supports(graph, graph.nodes().front());
}

/// What to look for where that was asked for.
Precision wanted_of(PrecisionChoice asked) {
  if (asked == PrecisionChoice::kTf32) return Precision::kTF32;
  return asked == PrecisionChoice::kFp16 ? Precision::kFP16 : Precision::kBF16;
}

}  // namespace

graph::Precisions precisions_of(Precision precision, const Backend& backend) {
  const auto where = [&](bool has) { return has ? precision : Precision::kF32; };
  const auto keeps = [&](Kept kept) { return precision == Precision::kBF16 && has_blocks(precision, backend, kept); };
  return {.blocks = precision,
          .convolutions = where(has_convolutions(precision, backend)),
          .live_blocks = where(has_live_blocks(precision, backend)),
          .live_convolutions = where(has_live_convolutions(precision, backend)),
          .keep_expanded = keeps(Kept::kExpanded),
          .slopes = slopes_of(precision, backend),
          .round_ends = keeps(Kept::kEnds)};
}

Result<Precision> choose_precision(PrecisionChoice asked, const Backend& backend) {
  return choose_precision(asked, backend.name(), [&](Precision precision) { return has_blocks(precision, backend); });
}

Result<Precision> choose_precision(PrecisionChoice asked, std::string_view device, const std::function<bool(Precision)>& has) {
  if (asked == PrecisionChoice::kFp32) return Precision::kF32;
  const Precision wanted = wanted_of(asked);
  if (has(wanted)) return wanted;
  if (asked == PrecisionChoice::kAuto) return Precision::kF32;
  return fail(Error::Kind::kUnsupported,
              "precision {}: the {} device has no kernels for it ({}GPUs of compute capability {:.1f} or later have them); try "
              "auto or fp32",
              graph::name_of(wanted), device, wanted == Precision::kBF16 ? "processors with AMX or AVX512_BF16, and " : "",
              least_capability(wanted));
}

std::string_view precision_reason(PrecisionChoice asked, Precision chosen, Precision used) {
  if (used != Precision::kF32) return "the products of convolutions, which this device multiplies so; sums and weights are fp32";
  if (asked == PrecisionChoice::kFp32) return "";
  if (chosen == Precision::kF32) return "this device has no fast products of bf16 numbers";
  return "there is no convolution to train that this device multiplies otherwise";
}

graph::LiveBlocks live_blocks_of(const Backend& backend) {
  return has_live_blocks(Precision::kF32, backend) ? graph::LiveBlocks::kFused : graph::LiveBlocks::kOpByOp;
}

Precision precision_of(const graph::Graph& graph) {
  for (const graph::Node& node : graph.nodes()) {
    if (const Precision found = graph::rounding_of(node.op); found != Precision::kF32) return found;
  }
  return Precision::kF32;
}

}  // namespace fovea::training
