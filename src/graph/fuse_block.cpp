// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <optional>
#include <utility>

#include "graph/neighbours.h"
#include "graph/passes.h"

namespace fovea::graph {
namespace {

/// Nodes that become one, in their order; -1 where there is none.
struct Block {
  NodeId expand = -1;
  NodeId depthwise = -1;
  NodeId project = -1;
  NodeId sum = -1;
};

class BlockFinder {
 public:
  explicit BlockFinder(const Graph& graph) : near_(graph) {}

  /// The block around a depthwise convolution.
  [[nodiscard]] std::optional<Block> around(NodeId depthwise) const {
    const Node& node = near_.node(depthwise);
    const auto* op = std::get_if<DepthwiseConv2d>(&node.op);
    if (op == nullptr || node.inputs.size() != 3 || !is_block_window(op->window)) return std::nullopt;
    if (op->activation != Activation::kRelu && op->activation != Activation::kRelu6) return std::nullopt;
    Block block{.depthwise = depthwise};
    block.project = near_.sole_reader(depthwise);
    if (block.project < 0 || !is_pointwise(block.project, Activation::kNone)) return std::nullopt;
    const NodeId before = near_.maker(node.inputs[0]);
    if (before >= 0 && is_pointwise(before, op->activation) && near_.sole_reader(before) == depthwise) block.expand = before;
    const ValueId x = near_.node(block.expand >= 0 ? block.expand : depthwise).inputs[0];
    const NodeId sum = near_.sole_reader(block.project);
    if (sum >= 0 && std::holds_alternative<Add>(near_.node(sum).op) && std::ranges::count(near_.node(sum).inputs, x) == 1)
      block.sum = sum;
    return block;
  }

 private:
  [[nodiscard]] bool is_pointwise(NodeId n, Activation activation) const {
    const auto* op = std::get_if<Conv2d>(&near_.node(n).op);
    return op != nullptr && op->window == Window{} && op->activation == activation && near_.node(n).inputs.size() == 3;
  }

  Neighbours near_;
};

}  // namespace

Graph fuse_inverted_residuals(const Graph& graph, Precision precision) {
  const BlockFinder finder(graph);
  std::vector<bool> gone(graph.nodes().size(), false);
  std::vector<std::optional<Block>> ends(graph.nodes().size());  // by the block's last node
  for (std::size_t n = 0; n < graph.nodes().size(); ++n) {
    const auto block = finder.around(static_cast<NodeId>(n));
    if (!block) continue;
    for (const NodeId part : {block->expand, block->depthwise, block->project, block->sum}) {
      if (part >= 0) gone[static_cast<std::size_t>(part)] = true;
    }
    ends[static_cast<std::size_t>(std::max(block->project, block->sum))] = block;
  }

  Rewriter rewriter(graph);
  for (std::size_t n = 0; n < graph.nodes().size(); ++n) {
    const Node& node = graph.nodes()[n];
    if (!gone[n]) rewriter.copy(node);
    if (!ends[n]) continue;
    const Block& block = *ends[n];
    const auto inputs_of = [&](NodeId part) { return rewriter.mapped(graph.nodes()[static_cast<std::size_t>(part)].inputs); };
    std::vector<ValueId> inputs = inputs_of(block.expand >= 0 ? block.expand : block.depthwise);
    for (const NodeId part : {block.depthwise, block.project}) {
      if (part == block.depthwise && block.expand < 0) continue;
      const std::vector<ValueId> more = inputs_of(part);
      inputs.insert(inputs.end(), more.begin() + 1, more.end());
    }
    const auto& depthwise = std::get<DepthwiseConv2d>(graph.nodes()[static_cast<std::size_t>(block.depthwise)].op);
    const InvertedResidual op{depthwise.window, depthwise.activation, block.expand >= 0, block.sum >= 0, precision};
    rewriter.replace(node.outputs[0], rewriter.graph().add(op, std::move(inputs)));
  }
  return rewriter.finish();
}

}  // namespace fovea::graph
