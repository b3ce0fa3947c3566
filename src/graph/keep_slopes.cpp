// SPDX-License-Identifier: Apache-2.0
#include "graph/passes.h"
#include "graph/rewrite.h"

namespace fovea::graph {
namespace {

/// Whether a node asks for the derivative of silu at its first input.
bool asks_for_slope(const Node& node) {
  const auto* op = std::get_if<ActivateBackward>(&node.op);
  return op != nullptr && op->activation == Activation::kSilu && !op->by_slope;
}

bool is_silu(const Node& node) {
  const auto* op = std::get_if<Activate>(&node.op);
  return op != nullptr && op->activation == Activation::kSilu && !op->keeps_slope;
}

}  // namespace

Graph keep_slopes(const Graph& graph) {
  const auto at = [](ValueId id) { return static_cast<std::size_t>(id); };
  std::vector<bool> asked(graph.values().size(), false);
  for (const Node& node : graph.nodes()) {
    if (asks_for_slope(node)) asked[at(node.inputs[0])] = true;
  }
  std::vector<ValueId> slope(graph.values().size(), kNoValue);  // by what it is the slope at
  Rewriter rewriter(graph);
  for (const Node& node : graph.nodes()) {
    const ValueId x = node.inputs.empty() ? kNoValue : node.inputs[0];
    if (is_silu(node) && asked[at(x)]) {
      const std::vector<ValueId> made = rewriter.graph().add_all(Activate{Activation::kSilu, true}, {rewriter[x]});
      rewriter.replace(node.outputs[0], made[0]);
      slope[at(x)] = made[1];
    } else if (asks_for_slope(node) && slope[at(x)] != kNoValue) {
      const ValueId dy = rewriter[node.inputs[1]];
      rewriter.replace(node.outputs[0], rewriter.graph().add(ActivateBackward{Activation::kSilu, true}, {slope[at(x)], dy}));
    } else {
      rewriter.copy(node);
    }
  }
  return rewriter.finish();
}

}  // namespace fovea::graph
