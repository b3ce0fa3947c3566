// Fovea: who makes and who reads a value: what passes find patterns of nodes by.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "graph/rewrite.h"

namespace fovea::graph {

class Neighbours {
 public:
  explicit Neighbours(const Graph& graph)
      : graph_(graph), readers_(count_readers(graph)), producers_(find_producers(graph)), reader_(graph.values().size(), -1) {
    for (std::size_t n = 0; n < graph.nodes().size(); ++n) {
      for (const ValueId id : graph.nodes()[n].inputs) reader_[static_cast<std::size_t>(id)] = static_cast<NodeId>(n);
    }
  }

  [[nodiscard]] const Node& node(NodeId n) const { return graph_.nodes()[static_cast<std::size_t>(n)]; }
  /// The node that makes a value, or -1.
  [[nodiscard]] NodeId maker(ValueId value) const { return producers_[static_cast<std::size_t>(value)]; }
  /// The one node that reads the first output of a node, and once; -1 if there are several, or none.
  [[nodiscard]] NodeId sole_reader(NodeId n) const {
    const auto value = static_cast<std::size_t>(node(n).outputs[0]);
    return readers_[value] == 1 ? reader_[value] : -1;  // of a named output alone: -1 too
  }

 private:
  const Graph& graph_;
  std::vector<int> readers_;
  std::vector<NodeId> producers_;
  std::vector<NodeId> reader_;  ///< the last one
};

/// The windows that blocks of networks have, and backends kernels for.
[[nodiscard]] inline bool is_block_window(const Window& window) {
  return window.kernel_h == window.kernel_w && (window.kernel_w == 3 || window.kernel_w == 5) && window.stride <= 2;
}

}  // namespace fovea::graph
