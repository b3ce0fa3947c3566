// SPDX-License-Identifier: Apache-2.0
#include "graph/passes.h"
#include "graph/rewrite.h"

namespace fovea::graph {

Graph round_convolutions(const Graph& graph, Precision precision) {
  Rewriter rewriter(graph);
  for (const Node& node : graph.nodes()) {
    const auto* op = std::get_if<Conv2d>(&node.op);
    if (op == nullptr || node.inputs.size() != 3) {
      rewriter.copy(node);
    } else {
      rewriter.copy(node, Conv2d{op->window, op->activation, precision});
    }
  }
  return rewriter.finish();
}

}  // namespace fovea::graph
