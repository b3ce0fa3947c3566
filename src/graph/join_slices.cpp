// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <utility>
#include <vector>

#include "graph/passes.h"
#include "graph/rewrite.h"

namespace fovea::graph {
namespace {

/// Channels [begin, end) of a value.
struct Piece {
  ValueId of;
  std::int64_t begin, end;
};

class SliceJoiner {
 public:
  explicit SliceJoiner(const Graph& graph) : graph_(graph), producers_(find_producers(graph)) {}

  [[nodiscard]] Graph apply() && {
    for (const Node& node : graph_.nodes()) {
      const std::vector<Piece> pieces = std::holds_alternative<Concat>(node.op) ? joined(node) : std::vector<Piece>{};
      if (pieces.empty() || pieces.size() == node.inputs.size()) {
        rewriter_.copy(node);
      } else {
        write(node, pieces);
      }
    }
    return rewriter_.finish();
  }

 private:
  [[nodiscard]] Piece piece(ValueId id) const {
    const NodeId maker = producers_[static_cast<std::size_t>(id)];
    if (maker >= 0) {
      const Node& node = graph_.nodes()[static_cast<std::size_t>(maker)];
      if (const auto* slice = std::get_if<SliceChannels>(&node.op))
        return {node.inputs[0], slice->begin, slice->begin + slice->count};
    }
    return {id, 0, graph_.shape(id).back()};
  }
  [[nodiscard]] bool is_whole(const Piece& piece) const { return piece.begin == 0 && piece.end == graph_.shape(piece.of).back(); }

  /// What is joined, neighbours of one value as one piece where that is then the whole value; else each as it is.
  [[nodiscard]] std::vector<Piece> joined(const Node& node) const {
    std::vector<Piece> pieces;
    for (std::size_t i = 0; i < node.inputs.size();) {
      Piece all = piece(node.inputs[i]);
      std::size_t next = i + 1;
      for (; next < node.inputs.size() && !is_whole(all); ++next) {
        const Piece more = piece(node.inputs[next]);
        if (more.of != all.of || more.begin != all.end) break;
        all.end = more.end;
      }
      const bool worth = next > i + 1 && is_whole(all);
      pieces.push_back(worth ? all : Piece{node.inputs[i], 0, graph_.shape(node.inputs[i]).back()});
      i = worth ? next : i + 1;
    }
    return pieces;
  }

  void write(const Node& node, const std::vector<Piece>& pieces) {
    if (pieces.size() == 1) return rewriter_.replace(node.outputs[0], rewriter_[pieces[0].of]);
    std::vector<ValueId> inputs;
    for (const Piece& one : pieces) inputs.push_back(rewriter_[one.of]);
    rewriter_.replace(node.outputs[0], rewriter_.graph().add(Concat{}, std::move(inputs)));
  }

  const Graph& graph_;
  std::vector<NodeId> producers_;
  Rewriter rewriter_{graph_};
};

}  // namespace

Graph join_slices(const Graph& graph) { return SliceJoiner(graph).apply(); }

}  // namespace fovea::graph
