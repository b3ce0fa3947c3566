// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include "graph/passes.h"
#include "graph/rewrite.h"

namespace fovea::graph {
namespace {

/// The PadChannels that makes `value`, if nobody else reads that.
const Node* sole_pad(const Graph& graph, const std::vector<int>& readers, const std::vector<NodeId>& producers, ValueId value) {
  const NodeId maker = producers[static_cast<std::size_t>(value)];
  if (maker < 0 || readers[static_cast<std::size_t>(value)] != 1) return nullptr;
  const Node& node = graph.nodes()[static_cast<std::size_t>(maker)];
  return std::holds_alternative<PadChannels>(node.op) ? &node : nullptr;
}

/// `low` begins at channel 0 and ends where `high` begins, which ends at the last.
bool fill_each_other(const Graph& graph, const Node& low, const Node& high) {
  const auto &a = std::get<PadChannels>(low.op), &b = std::get<PadChannels>(high.op);
  return a.begin == 0 && b.begin == graph.shape(low.inputs[0]).back() && b.begin + graph.shape(high.inputs[0]).back() == b.total;
}

}  // namespace

Graph join_pads(const Graph& graph) {
  const std::vector<int> readers = count_readers(graph);
  const std::vector<NodeId> producers = find_producers(graph);
  Rewriter rewriter(graph);
  for (const Node& node : graph.nodes()) {
    const Node* first = nullptr;
    const Node* second = nullptr;
    if (std::holds_alternative<Add>(node.op)) {
      first = sole_pad(graph, readers, producers, node.inputs[0]);
      second = sole_pad(graph, readers, producers, node.inputs[1]);
    }
    if (first != nullptr && second != nullptr && !fill_each_other(graph, *first, *second)) std::swap(first, second);
    if (first == nullptr || second == nullptr || !fill_each_other(graph, *first, *second)) {
      rewriter.copy(node);
      continue;
    }
    const ValueId joined = rewriter.graph().add(Concat{}, {rewriter[first->inputs[0]], rewriter[second->inputs[0]]});
    rewriter.replace(node.outputs[0], joined);
  }
  return rewriter.finish();  // the pads are left without readers
}

}  // namespace fovea::graph
