// SPDX-License-Identifier: Apache-2.0
#include "estimate/roofline.h"

#include <algorithm>

#include "core/error.h"
#include "graph/autodiff.h"
#include "graph/compile.h"
#include "graph/passes.h"
#include "runtime/memory.h"

namespace fovea::estimate {
namespace {

using graph::Graph;
using graph::Node;
using graph::ValueId;

double bytes_of(const Graph& graph, ValueId id) { return static_cast<double>(graph.bytes(id)); }

/// A live block's gradient before its first activation, of the whole batch: its normalisation waits for that one's sums.
std::size_t bytes_between_passes(const Graph& graph, const Node& node) {
  const auto* block = std::get_if<graph::InvertedResidualTrainBackward>(&node.op);
  if (block == nullptr || !block->forward.expands) return 0;
  const auto positions = graph.shape(node.inputs[0]).elements() / graph.shape(node.inputs[0]).back();
  const auto channels = graph.shape(node.inputs[depthwise_weight(block->forward)])[0];
  return static_cast<std::size_t>(positions * channels) * size_of(graph::kept_type(block->forward.precision));
}

/// Of the windows of a block's depthwise part: 2 N H' W' E R S.
template <class Block>
double depthwise_flops(const Graph& graph, const Node& node, const Block& block, ValueId y) {
  const Shape& window = graph.shape(node.inputs[depthwise_weight(block)]);
  return 2 * real(graph.shape(y).elements()) / real(graph.shape(y).back()) * real(window.elements());
}

}  // namespace

Work work_of(const Graph& graph, const Node& node) {
  Work work;
  for (const ValueId id : node.inputs) work.bytes += bytes_of(graph, id);
  for (const ValueId id : node.outputs) work.bytes += bytes_of(graph, id);
  const double flops = graph::flops(graph, node);
  // A block's backward pass computes both gradients of each product, and the forward pass once more.
  constexpr double kAgain = 1.5;
  const auto divide = [&](double all, double depthwise) {
    work.ordinary_flops = depthwise;
    work.tensor_flops = all - depthwise;
  };
  std::visit(graph::Overloaded{
                 [&](const graph::InvertedResidual& o) { divide(flops, depthwise_flops(graph, node, o, node.outputs[0])); },
                 [&](const graph::InvertedResidualBackward& o) {
                   const double forward = depthwise_flops(graph, node, o.forward, node.inputs.back());
                   divide(kAgain * flops, kAgain * 2 * forward);
                 },
                 [&](const graph::InvertedResidualTrain& o) { divide(flops, depthwise_flops(graph, node, o, node.outputs[0])); },
                 [&](const graph::InvertedResidualTrainBackward& o) {
                   const double forward = depthwise_flops(graph, node, o.forward, node.inputs.back());
                   divide(kAgain * flops, kAgain * 2 * forward);
                 },
                 [&](const graph::DepthwiseConv2d&) { divide(flops, flops); },
                 [&](const graph::DepthwiseConv2dBackward&) { divide(flops, flops); },
                 [&](const auto&) { divide(flops, 0); },
             },
             node.op);
  return work;
}

double seconds_of(const Graph& graph, const GpuModel& gpu, const Reach& reach) {
  double seconds = 0;
  for (const Node& node : graph.nodes()) {
    const Work work = work_of(graph, node);
    const graph::Precision precision = graph::rounding_of(node.op);
    // In fp32 products take turns with depthwise windows on the same units.
    const bool same_units = precision == graph::Precision::kF32;
    const double ordinary = work.ordinary_flops + (same_units ? work.tensor_flops : 0);
    const double tensor = same_units ? 0 : work.tensor_flops / (1e12 * tflops_of(gpu, precision) * reach.tensor);
    seconds += reach.start_s + std::max({work.bytes / (1e9 * gpu.gb_s * reach.memory), tensor,
                                         ordinary / (1e12 * gpu.fp32_tflops * reach.ordinary)});
  }
  return seconds;
}

graph::Precisions gpu_precisions(graph::Precision precision) {
  return {.blocks = precision, .convolutions = precision, .live_blocks = precision, .live_convolutions = precision};
}

Result<NetworkGraphs> graphs_of(const NetworkSpec& spec, int rows, NormMode norm, bool fused, graph::Precision precision) {
  NetworkGraphs graphs;
  FOVEA_ASSIGN(const Graph looking, build_network(spec, {.batch = rows}));
  FOVEA_ASSIGN(const Graph learning, build_network(spec, {.batch = rows, .norm = norm, .loss = true}));
  const auto all = [](std::string_view) { return true; };
  if (fused) {
    graphs.look = graph::compile_for_use(looking);
    FOVEA_ASSIGN(graphs.learn, graph::compile_for_training(learning, gpu_precisions(precision), graph::LiveBlocks::kFused, all));
    return graphs;
  }
  graphs.look = graph::eliminate_dead(graph::fuse_activations(graph::fold_batchnorm(looking), false));
  const Graph forward =
      graph::round_convolutions(graph::fuse_activations(graph::fold_batchnorm(learning), true), precision, precision);
  FOVEA_ASSIGN(const Graph both, graph::differentiate(graph::forget_maps(forward), all));
  graphs.learn = graph::keep_rounded(graph::eliminate_dead(graph::fuse_backward(both)));
  return graphs;
}

double update_seconds(std::int64_t parameters, const GpuModel& gpu, const Reach& reach) {
  // Parameter, gradient and two moments are read, all but the gradient written; the average is read and written.
  constexpr double kFloats = 4 + 3 + 2;
  return kFloats * sizeof(float) * real(parameters) / (1e9 * gpu.gb_s * reach.memory);
}

std::int64_t arena_bytes(const Graph& graph) {
  std::vector<Lifetime> lifetimes(graph.values().size());
  for (std::size_t n = 0; n < graph.nodes().size(); ++n) {
    const Node& node = graph.nodes()[n];
    if (const auto bytes = bytes_between_passes(graph, node); bytes > 0) lifetimes.push_back({bytes, n, n});
    for (const ValueId id : node.outputs) {
      if (graph.value(id).role != graph::Role::kIntermediate) continue;
      lifetimes[static_cast<std::size_t>(id)] = {static_cast<std::size_t>(bytes_of(graph, id)), n, n};
    }
    for (const ValueId id : node.inputs) {
      Lifetime& life = lifetimes[static_cast<std::size_t>(id)];
      if (life.bytes > 0) life.last = n;
    }
  }
  return static_cast<std::int64_t>(lay_out(lifetimes).bytes);
}

}  // namespace fovea::estimate
