// SPDX-License-Identifier: Apache-2.0
#include "graph/passes.h"
#include "graph/rewrite.h"

namespace fovea::graph {
namespace {

bool is_convolution(const Node& node) {
  return std::holds_alternative<Conv2d>(node.op) || std::holds_alternative<DepthwiseConv2d>(node.op);
}

bool has_activation(const Op& op) {
  return std::visit(
      Overloaded{[](const Conv2d& o) { return o.activation != Activation::kNone; },
                 [](const DepthwiseConv2d& o) { return o.activation != Activation::kNone; }, [](const auto&) { return false; }},
      op);
}

}  // namespace

Graph fold_batchnorm(const Graph& graph) {
  const std::vector<int> readers = count_readers(graph);
  const std::vector<NodeId> producers = find_producers(graph);
  // folds[n]: the BatchNorm that disappears into convolution n.
  std::vector<const Node*> folds(graph.nodes().size(), nullptr);
  for (const Node& node : graph.nodes()) {
    if (!std::holds_alternative<BatchNorm>(node.op)) continue;
    const ValueId x = node.inputs[0];
    const NodeId made_by = producers[static_cast<std::size_t>(x)];
    if (made_by < 0 || readers[static_cast<std::size_t>(x)] != 1) continue;
    const Node& convolution = graph.nodes()[static_cast<std::size_t>(made_by)];
    if (is_convolution(convolution) && convolution.inputs.size() == 2 && !has_activation(convolution.op))
      folds[static_cast<std::size_t>(made_by)] = &node;
  }

  Rewriter rewriter(graph);
  std::vector<bool> folded(graph.values().size(), false);  // by the BatchNorm's output
  for (std::size_t n = 0; n < graph.nodes().size(); ++n) {
    const Node& node = graph.nodes()[n];
    if (const Node* norm = folds[n]) {
      std::vector<ValueId> inputs = rewriter.mapped(std::span(norm->inputs).subspan(1));
      inputs.insert(inputs.begin(), rewriter[node.inputs[1]]);
      const auto weights = rewriter.graph().add_all(FoldBatchNorm{std::get<BatchNorm>(norm->op).eps}, inputs);
      rewriter.replace(norm->outputs[0], rewriter.graph().add(node.op, {rewriter[node.inputs[0]], weights[0], weights[1]}));
      folded[static_cast<std::size_t>(norm->outputs[0])] = true;
    } else if (!std::holds_alternative<BatchNorm>(node.op) || !folded[static_cast<std::size_t>(node.outputs[0])]) {
      rewriter.copy(node);
    }
  }
  return rewriter.finish();
}

}  // namespace fovea::graph
