// SPDX-License-Identifier: Apache-2.0
#include <optional>
#include <utility>

#include "graph/passes.h"
#include "graph/rewrite.h"

namespace fovea::graph {
namespace {

/// What has become of a gradient by a convolution's input: not written down before what follows it is known.
struct Pending {
  Conv2dBackwardInput op;
  std::vector<ValueId> inputs;  ///< of the new graph
};

class GradientFuser {
 public:
  explicit GradientFuser(const Graph& graph) : graph_(graph), readers_(count_readers(graph)), pending_(readers_.size()) {}

  [[nodiscard]] Graph apply() && {
    for (const Node& node : graph_.nodes()) {
      if (starts(node) || adds(node) || multiplies(node)) continue;
      for (const ValueId id : node.inputs) write(id);
      rewriter_.copy(node);
    }
    for (const Graph::Output& output : graph_.outputs()) write(output.value);
    return rewriter_.finish();
  }

 private:
  static std::size_t at(ValueId id) { return static_cast<std::size_t>(id); }
  /// Whether what comes next may join what makes a value.
  [[nodiscard]] bool has_one_reader(ValueId id) const { return readers_[at(id)] == 1; }

  bool starts(const Node& node) {
    const auto* op = std::get_if<Conv2dBackwardInput>(&node.op);
    if (op == nullptr || op->precision != Precision::kBF16 || op->adds || op->by_slope || !has_one_reader(node.outputs[0]))
      return false;
    for (const ValueId id : node.inputs) write(id);
    pending_[at(node.outputs[0])] = Pending{*op, rewriter_.mapped(node.inputs)};
    return true;
  }

  /// Of two that wait, the second takes in the sum.
  bool adds(const Node& node) {
    if (!std::holds_alternative<Add>(node.op)) return false;
    for (const std::size_t mine : {1, 0}) {
      const auto& waiting = pending_[at(node.inputs[mine])];
      if (!waiting || waiting->op.adds) continue;
      write(node.inputs[1 - mine]);
      Pending sum = *std::exchange(pending_[at(node.inputs[mine])], std::nullopt);
      sum.op.adds = true;
      sum.inputs.push_back(rewriter_[node.inputs[1 - mine]]);
      keep(node.outputs[0], std::move(sum));
      return true;
    }
    return false;
  }

  bool multiplies(const Node& node) {
    const auto* op = std::get_if<ActivateBackward>(&node.op);
    if (op == nullptr || !op->by_slope || !pending_[at(node.inputs[1])]) return false;
    write(node.inputs[0]);
    Pending product = *std::exchange(pending_[at(node.inputs[1])], std::nullopt);
    product.op.by_slope = true;
    product.inputs.push_back(rewriter_[node.inputs[0]]);
    rewriter_.replace(node.outputs[0], rewriter_.graph().add(product.op, std::move(product.inputs)));
    return true;
  }

  void keep(ValueId id, Pending made) {
    pending_[at(id)] = std::move(made);
    if (!has_one_reader(id)) write(id);
  }
  /// A value that is read as it is.
  void write(ValueId id) {
    if (auto& waiting = pending_[at(id)]) {
      rewriter_.replace(id, rewriter_.graph().add(waiting->op, waiting->inputs));
      waiting.reset();
    }
  }

  const Graph& graph_;
  std::vector<int> readers_;
  std::vector<std::optional<Pending>> pending_;
  Rewriter rewriter_{graph_};
};

}  // namespace

Graph fuse_gradients(const Graph& graph, Slopes by) {
  if (by != Slopes::kConvolutions) return graph;
  return GradientFuser(graph).apply();
}

}  // namespace fovea::graph
