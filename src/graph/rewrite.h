// Fovea: copying a graph node by node while changing it: the frame of every pass.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "graph/graph.h"

namespace fovea::graph {

/// Builds a new graph out of an old one. Leaves are copied when first read, so that none is left without readers.
class Rewriter {
 public:
  explicit Rewriter(const Graph& source) : source_(source), map_(source.values().size(), kNoValue) {}

  /// The new value that stands for an old one.
  ValueId operator[](ValueId old);
  std::vector<ValueId> mapped(std::span<const ValueId> old);
  /// Says that `made` stands for `old` from here on.
  void replace(ValueId old, ValueId made) { map_[static_cast<std::size_t>(old)] = made; }
  /// Copies a node, with `op` in place of its own.
  void copy(const Node& node, const Op& op);
  void copy(const Node& node) { copy(node, node.op); }
  [[nodiscard]] Graph& graph() { return result_; }
  /// Marks the outputs that were copied.
  Graph finish();

 private:
  const Graph& source_;
  Graph result_;
  std::vector<ValueId> map_;
};

/// Readers of each value; being a named output counts as one.
[[nodiscard]] std::vector<int> count_readers(const Graph& graph);

/// The node that makes each value, or -1.
[[nodiscard]] std::vector<NodeId> find_producers(const Graph& graph);

}  // namespace fovea::graph
