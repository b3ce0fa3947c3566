// SPDX-License-Identifier: Apache-2.0
#include <numeric>
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

/// Whether a block has a v that it keeps in 16 bits; and the input of its backward pass, or the output, that is v.
bool keeps(const InvertedResidual& op) { return op.keeps_expanded; }
bool keeps(const InvertedResidualTrain& op) { return kept_type(op.precision) != DType::kF32; }
bool keeps(const InvertedResidualBackward& o) { return keeps(o.forward); }
bool keeps(const InvertedResidualTrainBackward& o) { return keeps(o.forward); }
constexpr std::size_t kept_input(const InvertedResidual& op) { return depthwise_weight(op) + 3; }
constexpr std::size_t kept_input(const InvertedResidualTrain& op) { return depthwise_weight(op) + 4; }
constexpr std::size_t kKeptOutput = 1;

Keeping keeping_of_block(const auto& op) { return kept_type(op.precision) != DType::kF32 ? Keeping::kEach : Keeping::kFloats; }

bool is_block(const Op& op) {
  return std::holds_alternative<InvertedResidual>(op) || std::holds_alternative<InvertedResidualBackward>(op);
}

/// What a graph keeps rounded is of one type: that of its products.
DType kept_type_of(const Graph& graph) {
  for (const Node& node : graph.nodes()) {
    if (const DType type = kept_type(rounding_of(node.op)); type != DType::kF32) return type;
  }
  return DType::kF32;
}

}  // namespace

Keeping keeping_of(const Op& op) {
  if (kept_type(convolution_precision(op)) != DType::kF32) return Keeping::kEach;
  return std::visit(
      Overloaded{[](const Activate&) { return Keeping::kAlike; }, [](const ActivateBackward&) { return Keeping::kAlike; },
                 [](const Add&) { return Keeping::kAlike; }, [](const Concat&) { return Keeping::kAlike; },
                 [](const SliceChannels&) { return Keeping::kAlike; }, [](const PadChannels&) { return Keeping::kAlike; },
                 [](const BatchNormTrain&) { return Keeping::kAlike; },
                 [](const BatchNormTrainBackward&) { return Keeping::kAlike; },
                 [](const InvertedResidual& o) { return keeping_of_block(o); },
                 [](const InvertedResidualBackward& o) { return keeping_of_block(o.forward); },
                 [](const InvertedResidualTrain& o) { return keeping_of_block(o); },
                 [](const InvertedResidualTrainBackward& o) { return keeping_of_block(o.forward); },
                 [](const auto&) { return Keeping::kFloats; }},
      op);
}

// What a block's output is added to stays a float: along a chain of them the sum would be rounded at every addition, and in the
// gradients of the golden test of EfficientNet-Lite0 that is the greatest error by far. Sums of gradients do no such harm.
bool may_round_input(const Node& node, std::size_t index) {
  if (keeping_of(node.op) == Keeping::kFloats) return false;
  return std::visit(Overloaded{[&](const Conv2d&) { return index == 0; }, [&](const Conv2dBackwardInput&) { return index != 1; },
                               [&](const BatchNormTrain&) { return index == 0; },
                               [&](const BatchNormTrainBackward&) { return index == 0 || index == 5; },
                               [&](const InvertedResidual& o) { return index == 0 && !o.residual; },
                               [](const InvertedResidualTrain&) { return false; },
                               [&](const InvertedResidualBackward& o) {
                                 return (index == 0 && !o.forward.residual) || index + 1 == node.inputs.size() ||
                                        (keeps(o) && index == kept_input(o.forward));
                               },
                               [&](const InvertedResidualTrainBackward& o) { return index == kept_input(o.forward); },
                               [](const auto&) { return true; }},
                    node.op);
}

bool may_round_output(const Node& node, std::size_t index) {
  if (keeping_of(node.op) == Keeping::kFloats) return false;
  return std::visit(
      Overloaded{[](const Conv2dBackwardWeight&) { return false; }, [](const Activate&) { return true; },
                 [](const Conv2d&) { return true; }, [](const InvertedResidual&) { return true; },
                 [&](const InvertedResidualTrain&) { return index == kKeptOutput; },
                 [&](const InvertedResidualBackward&) { return index == 0; },
                 [](const InvertedResidualTrainBackward&) { return false; }, [&](const auto&) { return index == 0; }},
      node.op);
}

ValueId always_kept_rounded(const Node& node) {
  const auto output = [&](const auto& op) { return keeps(op) ? node.outputs[kKeptOutput] : kNoValue; };
  const auto input = [&](const auto& op) { return keeps(op) ? node.inputs[kept_input(op.forward)] : kNoValue; };
  return std::visit(
      Overloaded{[&](const InvertedResidual& o) { return output(o); }, [&](const InvertedResidualTrain& o) { return output(o); },
                 [&](const InvertedResidualBackward& o) { return input(o); },
                 [&](const InvertedResidualTrainBackward& o) { return input(o); }, [](const auto&) { return kNoValue; }},
      node.op);
}

bool is_kept_well(const Graph& graph, const Node& node) {
  const bool alike = keeping_of(node.op) == Keeping::kAlike;
  const ValueId v = always_kept_rounded(node);
  const DType rounded = kept_type(rounding_of(node.op));
  const auto fits = [&](ValueId id, bool may_round) {
    if (!may_round) return graph.dtype(id) == DType::kF32;
    if (id == v) return graph.dtype(id) == rounded;
    if (alike) return graph.dtype(id) == graph.dtype(node.inputs[0]);
    return graph.dtype(id) == DType::kF32 || graph.dtype(id) == rounded;
  };
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    if (!fits(node.inputs[i], may_round_input(node, i))) return false;
  }
  for (std::size_t i = 0; i < node.outputs.size(); ++i) {
    if (!fits(node.outputs[i], may_round_output(node, i))) return false;
  }
  return true;
}

Graph keep_rounded(Graph graph, bool block_ends) {
  const DType type = kept_type_of(graph);
  Sets sets(graph.values().size());
  for (const Node& node : graph.nodes()) {
    const bool end_in_floats = !block_ends && is_block(node.op);
    const auto treat = [&](ValueId id, bool may_round) {
      if (!may_round || (end_in_floats && id != always_kept_rounded(node))) {
        sets.pin(id);
      } else if (keeping_of(node.op) == Keeping::kAlike) {
        sets.join(id, node.outputs[0]);
      }
    };
    for (std::size_t i = 0; i < node.inputs.size(); ++i) treat(node.inputs[i], may_round_input(node, i));
    for (std::size_t i = 0; i < node.outputs.size(); ++i) treat(node.outputs[i], may_round_output(node, i));
  }
  for (std::size_t id = 0; id < graph.values().size(); ++id) {
    if (graph.values()[id].role != Role::kIntermediate) sets.pin(static_cast<ValueId>(id));
  }
  for (const Graph::Output& output : graph.outputs()) sets.pin(output.value);
  for (std::size_t id = 0; id < graph.values().size(); ++id) {
    if (!sets.floats(static_cast<ValueId>(id))) graph.keep_as(static_cast<ValueId>(id), type);
  }
  return graph;
}

}  // namespace fovea::graph
