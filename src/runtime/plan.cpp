// SPDX-License-Identifier: Apache-2.0
#include "runtime/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "core/error.h"
#include "core/tuning.h"
#include "runtime/memory.h"

namespace fovea {
namespace {

using graph::Graph;
using graph::Node;
using graph::Role;
using graph::ValueId;

/// What is known of each value before memory is laid out.
struct ValueInfo {
  std::optional<std::size_t> slot;   ///< memory is the caller's
  bool constant = false;             ///< depends on parameters and states alone
  bool persistent = false;           ///< constant, and read by runs: not by kernels alone that have packed it
  bool kept = false;                 ///< must survive the run
  std::size_t first = 0;             ///< node that makes it
  std::size_t last = 0;              ///< last node that reads it
  ValueId memory = graph::kNoValue;  ///< the value whose memory it uses: itself, or the input that it takes over
};

class Planner {
 public:
  Planner(const Graph& graph, const PlanOptions& options) : graph_(graph), options_(options), info_(graph.values().size()) {}

  Result<std::size_t> bind_slots() {
    std::size_t slots = 0;
    for (std::size_t id = 0; id < info_.size(); ++id) {
      const Role role = graph_.values()[id].role;
      info_[id].memory = static_cast<ValueId>(id);
      if (role != Role::kIntermediate) info_[id].slot = slots++;
      info_[id].constant = options_.constant_weights && (role == Role::kParameter || role == Role::kState);
    }
    for (const std::string& name : options_.bound_outputs) {
      const auto id = graph_.output(name);
      if (!id) return fail(Error::Kind::kUsage, "plan: no output '{}' to bind", name);
      ValueInfo& value = at(*id);
      if (value.slot) return fail(Error::Kind::kUsage, "plan: output '{}' is the same value as another bound one", name);
      value.slot = slots++;
    }
    for (const Graph::Output& output : graph_.outputs()) at(output.value).kept = true;
    return slots;
  }

  void find_lifetimes() {
    for (std::size_t n = 0; n < graph_.nodes().size(); ++n) {
      const Node& node = graph_.nodes()[n];
      const bool constant = std::ranges::all_of(node.inputs, [&](ValueId id) { return at(id).constant; });
      for (const ValueId id : node.inputs) at(id).last = n;
      for (const ValueId id : node.outputs) {
        at(id).first = at(id).last = n;
        at(id).constant = constant;
      }
    }
    for (ValueInfo& value : info_) {
      if (value.kept) value.last = graph_.nodes().size();
    }
  }

  [[nodiscard]] bool runs_once(const Node& node) const {
    return options_.constant_weights && std::ranges::all_of(node.outputs, [&](ValueId id) { return at(id).constant; });
  }

  /// Output 0 may live where a dying input lies, if that input is an arena value of the same size that nobody else holds.
  void take_over(std::size_t n, std::size_t input) {
    const Node& node = graph_.nodes()[n];
    ValueInfo& made = at(node.outputs[0]);
    const ValueId owner = at(node.inputs[input]).memory;
    ValueInfo& memory = at(owner);
    const bool dies =
        std::ranges::count(node.inputs, node.inputs[input]) == 1 && at(node.inputs[input]).last == n && memory.last == n;
    if (!dies || memory.slot || memory.constant || made.slot || made.constant) return;
    if (graph_.bytes(node.outputs[0]) != graph_.bytes(owner)) return;
    made.memory = owner;
    memory.last = made.last;
  }

  /// Constants that no run reads need no memory of their own.
  void find_persistent(std::span<const Plan::PlannedNode> nodes) {
    for (ValueInfo& value : info_) value.persistent = value.constant && value.kept;
    for (std::size_t n = 0; n < nodes.size(); ++n) {
      if (nodes[n].once) continue;
      const std::vector<ValueId>& inputs = graph_.nodes()[n].inputs;
      const std::size_t read = nodes[n].kernel->runs_on_packed() ? 1 : inputs.size();
      for (std::size_t i = 0; i < std::min(read, inputs.size()); ++i) at(inputs[i]).persistent = at(inputs[i]).constant;
    }
  }

  ValueInfo& at(ValueId id) { return info_[static_cast<std::size_t>(id)]; }
  [[nodiscard]] const ValueInfo& at(ValueId id) const { return info_[static_cast<std::size_t>(id)]; }
  [[nodiscard]] std::size_t size() const { return info_.size(); }

 private:
  const Graph& graph_;
  const PlanOptions& options_;
  std::vector<ValueInfo> info_;
};

}  // namespace

Result<std::shared_ptr<const Plan>> Plan::make(const Context& context, graph::Graph graph, const Backend& backend,
                                               const PlanOptions& options) {
  if (!graph.status()) return graph.status().error();
  auto plan = std::shared_ptr<Plan>(new Plan());
  plan->memory_ = backend.memory();
  plan->recorder_ = backend.recorder();
  plan->graph_ = std::move(graph);
  plan->constant_weights_ = options.constant_weights;
  const Graph& g = plan->graph_;

  Planner planner(g, options);
  FOVEA_ASSIGN(plan->slots_, planner.bind_slots());
  planner.find_lifetimes();
  // Where gradients are wanted, weights move at every step even if they are constant in between.
  const bool rarely_changed = options.constant_weights && options.bound_outputs.empty();

  for (std::size_t n = 0; n < g.nodes().size(); ++n) {
    const Node& node = g.nodes()[n];
    if (!backend.supports(g, node)) {
      return fail(Error::Kind::kUnsupported, "plan: the {} backend cannot compute {}", backend.name(), graph::name_of(node.op));
    }
    FOVEA_ASSIGN(auto kernel, backend.prepare(context, g, node, rarely_changed));
    const bool once = planner.runs_once(node);
    if (const auto input = kernel->reusable_input(); input && !once) planner.take_over(n, *input);
    plan->nodes_.push_back({std::move(kernel), 0, 0, once});
  }
  planner.find_persistent(plan->nodes_);

  // Arena: values that own memory, then each node's scratch, alive for that node alone.
  std::vector<Lifetime> lifetimes;
  std::vector<std::size_t> lifetime_of(planner.size());
  for (std::size_t id = 0; id < planner.size(); ++id) {
    const ValueInfo& value = planner.at(static_cast<ValueId>(id));
    if (value.slot || value.persistent || value.memory != static_cast<ValueId>(id)) continue;
    lifetime_of[id] = lifetimes.size();
    lifetimes.push_back({g.bytes(static_cast<ValueId>(id)), value.first, value.last});
  }
  const std::size_t first_scratch = lifetimes.size();
  for (std::size_t n = 0; n < plan->nodes_.size(); ++n) lifetimes.push_back({plan->nodes_[n].kernel->scratch_bytes(), n, n});
  const MemoryLayout layout = lay_out(lifetimes);
  plan->arena_bytes_ = layout.bytes;
  for (const Lifetime& life : lifetimes) plan->unshared_bytes_ += align_up(life.bytes);

  for (std::size_t n = 0; n < plan->nodes_.size(); ++n) {
    plan->nodes_[n].scratch_offset = layout.offsets[first_scratch + n];
    plan->nodes_[n].packed_offset = plan->persistent_bytes_;
    plan->persistent_bytes_ += align_up(plan->nodes_[n].kernel->packed_bytes());
  }
  for (std::size_t id = 0; id < planner.size(); ++id) {
    const ValueInfo& value = planner.at(static_cast<ValueId>(id));
    if (value.slot) {
      plan->places_.emplace_back(Bound{*value.slot});
    } else if (value.persistent) {
      plan->places_.emplace_back(Persistent{plan->persistent_bytes_});
      plan->persistent_bytes_ += align_up(g.bytes(static_cast<ValueId>(id)));
    } else {
      plan->places_.emplace_back(InArena{layout.offsets[lifetime_of[static_cast<std::size_t>(value.memory)]]});
    }
  }
  if (context.tuning) {
    if (const auto saved = context.tuning->save(); !saved) context.say(Severity::kDebug, saved.error().message);
  }
  return std::shared_ptr<const Plan>(std::move(plan));
}

std::string Plan::describe() const {
  std::string text;
  for (std::size_t n = 0; n < nodes_.size(); ++n) {
    const Node& node = graph_.nodes()[n];
    const Place& where = place(node.outputs[0]);
    const std::string home = std::visit(graph::Overloaded{[](const Bound& p) { return fmt::format("bound {}", p.slot); },
                                                          [](const InArena& p) { return fmt::format("arena {}", p.offset); },
                                                          [](const Persistent& p) { return fmt::format("kept {}", p.offset); }},
                                        where);
    text += fmt::format("{:4} {:<24} {:<28} {:>16} at {}{}\n", n, graph::name_of(node.op), nodes_[n].kernel->name(),
                        to_string(graph_.shape(node.outputs[0])), home, nodes_[n].once ? ", once" : "");
  }
  return text + fmt::format("arena {} bytes ({} if nothing were shared), kept {} bytes\n", arena_bytes_, unshared_bytes_,
                            persistent_bytes_);
}

}  // namespace fovea
