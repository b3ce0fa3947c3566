// SPDX-License-Identifier: Apache-2.0
#include "graph/passes.h"
#include "graph/rewrite.h"

namespace fovea::graph {

Graph keep_expanded(const Graph& graph) {
  Rewriter rewriter(graph);
  for (const Node& node : graph.nodes()) {
    const auto* block = std::get_if<InvertedResidual>(&node.op);
    if (block == nullptr || !block->expands || block->precision != Precision::kBF16 ||
        graph.shape(node.inputs[0]).back() < kLeastChannelsKept) {
      rewriter.copy(node);
      continue;
    }
    InvertedResidual op = *block;
    op.keeps_expanded = true;
    const std::vector<ValueId> made = rewriter.graph().add_all(op, rewriter.mapped(node.inputs));
    rewriter.graph().keep_as(made[1], DType::kBF16);
    rewriter.replace(node.outputs[0], made[0]);
  }
  return rewriter.finish();
}

}  // namespace fovea::graph
