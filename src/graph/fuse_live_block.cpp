// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "graph/neighbours.h"
#include "graph/passes.h"
#include "graph/replace_blocks.h"

namespace fovea::graph {
namespace {

/// Nodes that become one, in their order; -1 where there is none.
struct LiveBlock {
  NodeId expand = -1;
  NodeId expand_norm = -1;
  NodeId depthwise = -1;
  NodeId depthwise_norm = -1;
  NodeId project = -1;

  [[nodiscard]] std::vector<NodeId> nodes() const {
    std::vector<NodeId> all{expand, expand_norm, depthwise, depthwise_norm, project};
    std::erase(all, -1);
    return all;
  }
  /// Where the block stands: at its first node, before all that reads what it measures.
  [[nodiscard]] NodeId place() const { return expand >= 0 ? expand : depthwise; }
};

class LiveBlockFinder {
 public:
  explicit LiveBlockFinder(const Graph& graph) : near_(graph) {}

  /// The block around a depthwise convolution.
  [[nodiscard]] std::optional<LiveBlock> around(NodeId depthwise) const {
    const auto* op = std::get_if<DepthwiseConv2d>(&near_.node(depthwise).op);
    if (op == nullptr || op->activation != Activation::kNone || !is_block_window(op->window) || !has_weight_alone(depthwise))
      return std::nullopt;
    LiveBlock block{.depthwise = depthwise};
    block.depthwise_norm = near_.sole_reader(depthwise);
    const auto* norm = norm_of(block.depthwise_norm);
    if (norm == nullptr || (norm->activation != Activation::kRelu && norm->activation != Activation::kRelu6)) return std::nullopt;
    block.project = near_.sole_reader(block.depthwise_norm);
    if (!is_pointwise(block.project)) return std::nullopt;
    const NodeId before = near_.maker(near_.node(depthwise).inputs[0]);
    const auto* norm_before = norm_of(before);
    if (norm_before != nullptr && norm_before->activation == norm->activation && norm_before->eps == norm->eps &&
        near_.sole_reader(before) == depthwise) {
      const NodeId expand = near_.maker(near_.node(before).inputs[0]);
      if (is_pointwise(expand) && near_.sole_reader(expand) == before) {
        block.expand = expand;
        block.expand_norm = before;
      }
    }
    return block;
  }

 private:
  /// Parameters come before every node, so that the block can stand where its first node stood.
  [[nodiscard]] bool reads_leaves_from(NodeId n, std::size_t input) const {
    const std::vector<ValueId>& inputs = near_.node(n).inputs;
    return std::all_of(inputs.begin() + static_cast<std::ptrdiff_t>(input), inputs.end(),
                       [&](ValueId id) { return near_.maker(id) < 0; });
  }
  [[nodiscard]] bool has_weight_alone(NodeId n) const { return near_.node(n).inputs.size() == 2 && reads_leaves_from(n, 1); }
  [[nodiscard]] const BatchNormTrain* norm_of(NodeId n) const {
    return n >= 0 && reads_leaves_from(n, 1) ? std::get_if<BatchNormTrain>(&near_.node(n).op) : nullptr;
  }
  [[nodiscard]] bool is_pointwise(NodeId n) const {
    const auto* op = n < 0 ? nullptr : std::get_if<Conv2d>(&near_.node(n).op);
    return op != nullptr && op->window == Window{} && op->activation == Activation::kNone && op->precision == Precision::kF32 &&
           has_weight_alone(n);
  }

  Neighbours near_;
};

/// Adds the block, and lets its outputs stand for what its nodes made.
void add_block(const Graph& graph, const LiveBlock& block, Precision precision, Rewriter& rewriter) {
  const auto node = [&](NodeId n) -> const Node& { return graph.nodes()[static_cast<std::size_t>(n)]; };
  std::vector<ValueId> inputs{rewriter[node(block.place()).inputs[0]]};
  for (const NodeId part : block.nodes()) {
    const std::vector<ValueId> all = rewriter.mapped(node(part).inputs);
    inputs.insert(inputs.end(), all.begin() + 1, all.end());
  }
  const auto& norm = std::get<BatchNormTrain>(node(block.depthwise_norm).op);
  const InvertedResidualTrain op{std::get<DepthwiseConv2d>(node(block.depthwise).op).window, norm.activation, block.expand >= 0,
                                 norm.eps, precision};
  const std::vector<ValueId> made = rewriter.graph().add_all(op, std::move(inputs));
  rewriter.replace(node(block.project).outputs[0], made[0]);
  std::size_t next = 2;
  for (const NodeId part : {block.expand_norm, block.depthwise_norm}) {
    if (part < 0) continue;
    rewriter.replace(node(part).outputs[1], made[next++]);
    rewriter.replace(node(part).outputs[2], made[next++]);
  }
}

}  // namespace

Graph fuse_live_inverted_residuals(const Graph& graph, Precision precision) {
  const LiveBlockFinder finder(graph);
  return replace_blocks<LiveBlock>(
      graph, [&](NodeId n) { return finder.around(n); },
      [&](const LiveBlock& block, Rewriter& rewriter) { add_block(graph, block, precision, rewriter); });
}

}  // namespace fovea::graph
