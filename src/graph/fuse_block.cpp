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
struct Block {
  NodeId expand = -1;
  NodeId depthwise = -1;
  NodeId project = -1;
  NodeId sum = -1;

  [[nodiscard]] std::vector<NodeId> nodes() const {
    std::vector<NodeId> all{expand, depthwise, project, sum};
    std::erase(all, -1);
    return all;
  }
  /// Where the block stands: at its last node, behind what a sum adds.
  [[nodiscard]] NodeId place() const { return std::max(project, sum); }
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

/// Adds the block, and lets it stand for what its last node made.
void add_block(const Graph& graph, const Block& block, Precision precision, Rewriter& rewriter) {
  const auto node = [&](NodeId n) -> const Node& { return graph.nodes()[static_cast<std::size_t>(n)]; };
  std::vector<ValueId> inputs = rewriter.mapped(node(block.expand >= 0 ? block.expand : block.depthwise).inputs);
  for (const NodeId part : {block.depthwise, block.project}) {
    if (part == block.depthwise && block.expand < 0) continue;
    const std::vector<ValueId> more = rewriter.mapped(node(part).inputs);
    inputs.insert(inputs.end(), more.begin() + 1, more.end());
  }
  const auto& depthwise = std::get<DepthwiseConv2d>(node(block.depthwise).op);
  const InvertedResidual op{depthwise.window, depthwise.activation, block.expand >= 0, block.sum >= 0, precision};
  rewriter.replace(node(block.place()).outputs[0], rewriter.graph().add(op, std::move(inputs)));
}

}  // namespace

Graph fuse_inverted_residuals(const Graph& graph, Precision precision) {
  const BlockFinder finder(graph);
  return replace_blocks<Block>(
      graph, [&](NodeId n) { return finder.around(n); },
      [&](const Block& block, Rewriter& rewriter) { add_block(graph, block, precision, rewriter); });
}

}  // namespace fovea::graph
