// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "graph/passes.h"
#include "graph/rewrite.h"

namespace fovea::graph {
namespace {

bool any(const std::vector<bool>& flags, std::span<const ValueId> ids) {
  return std::ranges::any_of(ids, [&](ValueId id) { return flags[static_cast<std::size_t>(id)]; });
}

void set(std::vector<bool>& flags, std::span<const ValueId> ids) {
  for (const ValueId id : ids) flags[static_cast<std::size_t>(id)] = true;
}

/// Nodes whose outputs, directly or not, reach `values`; updates of states where `update_needed` says so.
template <class UpdateNeeded>
std::vector<bool> needed_nodes(const Graph& graph, std::vector<bool> values, const UpdateNeeded& update_needed) {
  std::vector<bool> nodes(graph.nodes().size(), false);
  for (std::size_t n = graph.nodes().size(); n-- > 0;) {
    const Node& node = graph.nodes()[n];
    const bool update = std::holds_alternative<UpdateRunningStatistics>(node.op);
    nodes[n] = update ? update_needed(node) : any(values, node.outputs);
    if (nodes[n]) set(values, node.inputs);
  }
  return nodes;
}

}  // namespace

Graph eliminate_dead(const Graph& graph) {
  std::vector<bool> wanted(graph.values().size(), false);
  for (const Graph::Output& output : graph.outputs()) wanted[static_cast<std::size_t>(output.value)] = true;
  const auto needed = needed_nodes(graph, std::move(wanted), [](const Node&) { return true; });
  Rewriter rewriter(graph);
  for (std::size_t n = 0; n < needed.size(); ++n) {
    if (needed[n]) rewriter.copy(graph.nodes()[n]);
  }
  return rewriter.finish();
}

Graph forget_maps(const Graph& graph) {
  constexpr std::size_t kMapRank = 4;  // (N,H,W,C)
  Rewriter rewriter(graph);
  for (const Node& node : graph.nodes()) rewriter.copy(node);
  for (const Graph::Output& output : graph.outputs()) {
    if (graph.shape(output.value).rank() != kMapRank) rewriter.graph().mark_output(output.name, rewriter[output.value]);
  }
  return std::move(rewriter.graph());
}

Graph keep_outputs(const Graph& graph, std::span<const std::string_view> names) {
  std::vector<bool> wanted(graph.values().size(), false);
  for (const std::string_view name : names) {
    if (const auto id = graph.output(name)) wanted[static_cast<std::size_t>(*id)] = true;
  }
  const auto needed = needed_nodes(graph, std::move(wanted), [](const Node&) { return false; });
  Rewriter rewriter(graph);
  for (std::size_t n = 0; n < needed.size(); ++n) {
    if (needed[n]) rewriter.copy(graph.nodes()[n]);
  }
  for (const std::string_view name : names) {
    if (const auto id = graph.output(name)) rewriter.graph().mark_output(std::string(name), rewriter[*id]);
  }
  return std::move(rewriter.graph());
}

Graph cut_inputs(const Graph& graph, std::span<const Cut> cuts) {
  std::vector<bool> after(graph.values().size(), false);
  for (const Cut& cut : cuts) after[static_cast<std::size_t>(cut.value)] = true;
  const std::vector<bool> is_cut = after;
  for (const Node& node : graph.nodes()) {
    if (any(after, node.inputs) && !std::holds_alternative<UpdateRunningStatistics>(node.op)) set(after, node.outputs);
  }
  std::vector<bool> wanted(graph.values().size(), false);
  for (const Graph::Output& output : graph.outputs()) {
    const auto value = static_cast<std::size_t>(output.value);
    wanted[value] = after[value];
  }
  // Walk back from the wanted outputs, but not past a cut.
  std::vector<bool> needed(graph.nodes().size(), false);
  for (std::size_t n = graph.nodes().size(); n-- > 0;) {
    const Node& node = graph.nodes()[n];
    const bool update = std::holds_alternative<UpdateRunningStatistics>(node.op);
    const bool makes_wanted = std::ranges::any_of(node.outputs, [&](ValueId id) {
      const auto value = static_cast<std::size_t>(id);
      return wanted[value] && !is_cut[value];
    });
    needed[n] = update ? any(after, node.inputs) : makes_wanted;
    if (needed[n]) set(wanted, node.inputs);
  }

  Rewriter rewriter(graph);
  for (const Cut& cut : cuts) rewriter.replace(cut.value, rewriter.graph().input(cut.input_name, graph.shape(cut.value)));
  for (std::size_t n = 0; n < needed.size(); ++n) {
    if (needed[n]) rewriter.copy(graph.nodes()[n]);
  }
  return rewriter.finish();
}

}  // namespace fovea::graph
