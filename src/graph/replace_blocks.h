// Fovea: the frame of passes that make one node of several: find the groups, then rewrite.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <vector>

#include "graph/rewrite.h"

namespace fovea::graph {

/// `graph` with one node for each block that `find(node)` gives (std::optional<Block>). `add(block, rewriter)` adds that node and
/// lets its outputs stand for what the block's nodes made; it is called where the block's node `place()` stood, which must be one
/// of its `nodes()`: so all that the new node reads must be made before that, and all that reads it must come after.
template <class Block, class Find, class Add>
[[nodiscard]] Graph replace_blocks(const Graph& graph, const Find& find, const Add& add) {
  const std::size_t count = graph.nodes().size();
  std::vector<bool> gone(count, false);
  std::vector<std::optional<Block>> at(count);  // by its place
  for (std::size_t n = 0; n < count; ++n) {
    const std::optional<Block> block = find(static_cast<NodeId>(n));
    if (!block) continue;
    for (const NodeId part : block->nodes()) gone[static_cast<std::size_t>(part)] = true;
    at[static_cast<std::size_t>(block->place())] = block;
  }
  Rewriter rewriter(graph);
  for (std::size_t n = 0; n < count; ++n) {
    if (at[n]) add(*at[n], rewriter);
    if (!gone[n]) rewriter.copy(graph.nodes()[n]);
  }
  return rewriter.finish();
}

}  // namespace fovea::graph
