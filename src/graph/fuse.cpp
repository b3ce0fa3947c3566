// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include "graph/passes.h"
#include "graph/rewrite.h"

namespace fovea::graph {
namespace {

bool derivative_from_output(Activation activation) { return activation == Activation::kRelu || activation == Activation::kRelu6; }

/// `op` with `activation` as its epilogue, if it can have one.
std::optional<Op> with_activation(const Op& op, Activation activation, bool for_training) {
  const auto set = [&](auto o) -> std::optional<Op> {
    if (o.activation != Activation::kNone) return std::nullopt;
    o.activation = activation;
    return o;
  };
  const bool convolution_may = !for_training || derivative_from_output(activation);
  return std::visit(Overloaded{[&](const Conv2d& o) { return convolution_may ? set(o) : std::nullopt; },
                               [&](const DepthwiseConv2d& o) { return convolution_may ? set(o) : std::nullopt; },
                               [&](const BatchNormTrain& o) { return set(o); }, [](const auto&) { return std::optional<Op>(); }},
                    op);
}

/// `op`, a backward node, with the derivative of the activation that made its first input, if it can take that in.
std::optional<Op> with_input_activation(const Op& op, Activation activation) {
  const auto set = [&](auto o) -> std::optional<Op> {
    if (o.input_activation != Activation::kNone) return std::nullopt;
    o.input_activation = activation;
    return o;
  };
  return std::visit(
      Overloaded{[&](const DepthwiseConv2dBackward& o) { return set(o); },
                 [&](const InvertedResidualBackward& o) { return set(o); }, [](const auto&) { return std::optional<Op>(); }},
      op);
}

/// Nodes that take in the one reader of their first output, which then disappears.
class Absorption {
 public:
  explicit Absorption(const Graph& graph)
      : graph_(graph),
        readers_(count_readers(graph)),
        producers_(find_producers(graph)),
        changed_(graph.nodes().size()),
        gone_(graph.nodes().size()) {}

  /// The maker of `value` if `value` is its first output and has one reader.
  [[nodiscard]] std::optional<NodeId> sole_source(ValueId value) const {
    const NodeId maker = producers_[static_cast<std::size_t>(value)];
    if (maker < 0 || readers_[static_cast<std::size_t>(value)] != 1) return std::nullopt;
    return graph_.nodes()[static_cast<std::size_t>(maker)].outputs[0] == value ? std::optional(maker) : std::nullopt;
  }
  void absorb(NodeId maker, Op op, NodeId reader) {
    changed_[static_cast<std::size_t>(maker)] = std::move(op);
    gone_[static_cast<std::size_t>(reader)] = maker;
  }
  [[nodiscard]] Graph apply() const {
    Rewriter rewriter(graph_);
    for (std::size_t n = 0; n < graph_.nodes().size(); ++n) {
      const Node& node = graph_.nodes()[n];
      if (gone_[n]) {
        rewriter.replace(node.outputs[0], rewriter[graph_.nodes()[static_cast<std::size_t>(*gone_[n])].outputs[0]]);
      } else {
        rewriter.copy(node, changed_[n].value_or(node.op));
      }
    }
    return rewriter.finish();
  }

 private:
  const Graph& graph_;
  std::vector<int> readers_;
  std::vector<NodeId> producers_;
  std::vector<std::optional<Op>> changed_;
  std::vector<std::optional<NodeId>> gone_;
};

}  // namespace

Graph fuse_activations(const Graph& graph, bool for_training) {
  Absorption absorption(graph);
  for (std::size_t n = 0; n < graph.nodes().size(); ++n) {
    const Node& node = graph.nodes()[n];
    const auto* activate = std::get_if<Activate>(&node.op);
    if (activate == nullptr) continue;
    const auto maker = absorption.sole_source(node.inputs[0]);
    if (!maker) continue;
    if (auto fused = with_activation(graph.nodes()[static_cast<std::size_t>(*maker)].op, activate->activation, for_training)) {
      absorption.absorb(*maker, *std::move(fused), static_cast<NodeId>(n));
    }
  }
  return absorption.apply();
}

Graph fuse_backward(const Graph& graph) {
  Absorption absorption(graph);
  for (std::size_t n = 0; n < graph.nodes().size(); ++n) {
    const Node& node = graph.nodes()[n];
    const auto* derivative = std::get_if<ActivateBackward>(&node.op);
    if (derivative == nullptr || !derivative_from_output(derivative->activation)) continue;
    const auto maker = absorption.sole_source(node.inputs[1]);
    if (!maker) continue;
    // The saved output must be the node's own input: then it is at hand anyway.
    const Node& reader = graph.nodes()[static_cast<std::size_t>(*maker)];
    if (reader.inputs[0] != node.inputs[0]) continue;
    if (auto fused = with_input_activation(reader.op, derivative->activation)) {
      absorption.absorb(*maker, *std::move(fused), static_cast<NodeId>(n));
    }
  }
  return absorption.apply();
}

}  // namespace fovea::graph
