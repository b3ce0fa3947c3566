// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <numeric>
#include <ranges>
#include <utility>

#include "graph/passes.h"

namespace fovea::graph {
namespace {

/// Values that must be kept alike, as sets with a leader each; a set that must stay floats says so.
class Sets {
 public:
  explicit Sets(std::size_t values) : leader_(values), floats_(values, false) {
    std::iota(leader_.begin(), leader_.end(), std::size_t{0});
  }
  void pin(ValueId id) { floats_[find(id)] = true; }
  void join(ValueId a, ValueId b) {
    const std::size_t from = find(a), to = find(b);
    floats_[to] = floats_[to] || floats_[from];
    leader_[from] = to;
  }
  [[nodiscard]] bool floats(ValueId id) { return floats_[find(id)]; }

 private:
  std::size_t find(ValueId id) {
    auto at = static_cast<std::size_t>(id);
    while (leader_[at] != at) at = leader_[at] = leader_[leader_[at]];
    return at;
  }
  std::vector<std::size_t> leader_;
  std::vector<bool> floats_;
};

}  // namespace

Keeping keeping_of(const Op& op) {
  if (convolution_precision(op) == Precision::kBF16) return Keeping::kEach;
  return std::visit(
      Overloaded{[](const Activate&) { return Keeping::kAlike; }, [](const ActivateBackward&) { return Keeping::kAlike; },
                 [](const Add&) { return Keeping::kAlike; }, [](const Concat&) { return Keeping::kAlike; },
                 [](const SliceChannels&) { return Keeping::kAlike; }, [](const PadChannels&) { return Keeping::kAlike; },
                 [](const auto&) { return Keeping::kFloats; }},
      op);
}

Activations activations_of(const Node& node) {
  switch (keeping_of(node.op)) {
    case Keeping::kFloats: return {};
    case Keeping::kAlike: return {node.inputs.size(), node.outputs.size()};
    case Keeping::kEach: break;
  }
  if (std::holds_alternative<Conv2dBackwardWeight>(node.op)) return {2, 0};
  return {1, 1};
}

bool is_kept_well(const Graph& graph, const Node& node) {
  const Activations rounded = activations_of(node);
  const auto is_float = [&](ValueId id) { return graph.dtype(id) == DType::kF32; };
  const auto like_first = [&](ValueId id) { return graph.dtype(id) == graph.dtype(node.inputs[0]); };
  const auto alike = [&](const auto& ids) {
    return keeping_of(node.op) != Keeping::kAlike || std::ranges::all_of(ids, like_first);
  };
  return std::ranges::all_of(node.inputs | std::views::drop(rounded.inputs), is_float) &&
         std::ranges::all_of(node.outputs | std::views::drop(rounded.outputs), is_float) && alike(node.inputs) &&
         alike(node.outputs);
}

Graph keep_rounded(Graph graph) {
  Sets sets(graph.values().size());
  for (const Node& node : graph.nodes()) {
    const Activations rounded = activations_of(node);
    for (std::size_t i = rounded.inputs; i < node.inputs.size(); ++i) sets.pin(node.inputs[i]);
    for (std::size_t i = rounded.outputs; i < node.outputs.size(); ++i) sets.pin(node.outputs[i]);
    if (keeping_of(node.op) != Keeping::kAlike) continue;
    for (const ValueId id : node.inputs) sets.join(id, node.outputs[0]);
  }
  for (std::size_t id = 0; id < graph.values().size(); ++id) {
    if (graph.values()[id].role != Role::kIntermediate) sets.pin(static_cast<ValueId>(id));
  }
  for (const Graph::Output& output : graph.outputs()) sets.pin(output.value);
  for (std::size_t id = 0; id < graph.values().size(); ++id) {
    if (!sets.floats(static_cast<ValueId>(id))) graph.keep_as(static_cast<ValueId>(id), DType::kBF16);
  }
  return graph;
}

}  // namespace fovea::graph
