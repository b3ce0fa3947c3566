// SPDX-License-Identifier: Apache-2.0
#include <optional>
#include <utility>

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

class SlopeKeeper {
 public:
  SlopeKeeper(const Graph& graph, Slopes by)
      : graph_(graph),
        by_(by),
        readers_(count_readers(graph)),
        asking_(readers_.size()),
        silus_(readers_.size()),
        kept_(readers_.size()) {
    for (const Node& node : graph.nodes()) {
      if (asks_for_slope(node)) ++asking_[at(node.inputs[0])];
      if (is_silu(node)) ++silus_[at(node.inputs[0])];
    }
  }

  [[nodiscard]] Graph apply() && {
    for (const Node& node : graph_.nodes()) {
      if (const auto fused = with_silu(node)) {
        keep(node.outputs[0], rewriter_.graph().add_all(*fused, rewriter_.mapped(node.inputs)));
      } else if (is_silu(node) && asking_[at(node.inputs[0])] > 0) {
        auto& kept = kept_[at(node.inputs[0])];
        if (!kept)
          keep(node.inputs[0], rewriter_.graph().add_all(Activate{Activation::kSilu, true}, {rewriter_[node.inputs[0]]}));
        rewriter_.replace(node.outputs[0], kept->first);
      } else if (asks_for_slope(node) && kept_[at(node.inputs[0])]) {
        const ValueId slope = kept_[at(node.inputs[0])]->second, dy = rewriter_[node.inputs[1]];
        rewriter_.replace(node.outputs[0], rewriter_.graph().add(ActivateBackward{Activation::kSilu, true}, {slope, dy}));
      } else {
        rewriter_.copy(node);
      }
    }
    return rewriter_.finish();
  }

 private:
  static std::size_t at(ValueId id) { return static_cast<std::size_t>(id); }
  void keep(ValueId x, const std::vector<ValueId>& made) { kept_[at(x)] = {made[0], made[1]}; }

  /// A convolution in bf16 as one op with the silu that follows, if nobody else reads what lies between.
  [[nodiscard]] std::optional<Conv2d> with_silu(const Node& node) const {
    const auto* op = std::get_if<Conv2d>(&node.op);
    if (op == nullptr || by_ != Slopes::kConvolutions || op->precision != Precision::kBF16 || op->activation != Activation::kNone)
      return std::nullopt;
    const std::size_t x = at(node.outputs[0]);
    if (asking_[x] == 0 || silus_[x] == 0 || readers_[x] != asking_[x] + silus_[x]) return std::nullopt;
    return Conv2d{op->window, Activation::kSilu, op->precision, true};
  }

  const Graph& graph_;
  Slopes by_;
  std::vector<int> readers_;
  std::vector<int> asking_, silus_;                               ///< of a value, among its readers
  std::vector<std::optional<std::pair<ValueId, ValueId>>> kept_;  ///< silu and slope, by what both are of
  Rewriter rewriter_{graph_};
};

}  // namespace

Graph keep_slopes(const Graph& graph, Slopes by) {
  if (by == Slopes::kNobody) return graph;
  return SlopeKeeper(graph, by).apply();
}

}  // namespace fovea::graph
