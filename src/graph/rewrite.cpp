// SPDX-License-Identifier: Apache-2.0
#include "graph/rewrite.h"

namespace fovea::graph {

ValueId Rewriter::operator[](ValueId old) {
  ValueId& made = map_[static_cast<std::size_t>(old)];
  if (made != kNoValue) return made;
  const Value& value = source_.value(old);
  switch (value.role) {
    case Role::kInput: return made = result_.input(value.name, value.shape);
    case Role::kParameter: return made = result_.parameter(value.name, value.shape);
    case Role::kState: return made = result_.state(value.name, value.shape);
    case Role::kIntermediate: break;
  }
  return kNoValue;
}

std::vector<ValueId> Rewriter::mapped(std::span<const ValueId> old) {
  std::vector<ValueId> made;
  made.reserve(old.size());
  for (const ValueId id : old) made.push_back((*this)[id]);
  return made;
}

void Rewriter::copy(const Node& node, const Op& op) {
  if (const auto* update = std::get_if<UpdateRunningStatistics>(&op)) {
    result_.add_update(*update, mapped(node.inputs), mapped(node.outputs));
    return;
  }
  const std::vector<ValueId> made = result_.add_all(op, mapped(node.inputs));
  for (std::size_t i = 0; i < node.outputs.size(); ++i) {
    replace(node.outputs[i], made[i]);
    if (made[i] != kNoValue) result_.keep_as(made[i], source_.dtype(node.outputs[i]));
  }
}

Graph Rewriter::finish() {
  for (const Graph::Output& output : source_.outputs()) {
    const bool leaf = source_.value(output.value).role != Role::kIntermediate;
    if (leaf || map_[static_cast<std::size_t>(output.value)] != kNoValue) result_.mark_output(output.name, (*this)[output.value]);
  }
  return std::move(result_);
}

std::vector<int> count_readers(const Graph& graph) {
  std::vector<int> readers(graph.values().size(), 0);
  for (const Node& node : graph.nodes()) {
    for (const ValueId id : node.inputs) ++readers[static_cast<std::size_t>(id)];
  }
  for (const Graph::Output& output : graph.outputs()) ++readers[static_cast<std::size_t>(output.value)];
  return readers;
}

std::vector<NodeId> find_producers(const Graph& graph) {
  std::vector<NodeId> producers(graph.values().size(), -1);
  for (std::size_t n = 0; n < graph.nodes().size(); ++n) {
    const Node& node = graph.nodes()[n];
    if (std::holds_alternative<UpdateRunningStatistics>(node.op)) continue;  // writes states, makes nothing
    for (const ValueId id : node.outputs) producers[static_cast<std::size_t>(id)] = static_cast<NodeId>(n);
  }
  return producers;
}

}  // namespace fovea::graph
