// SPDX-License-Identifier: Apache-2.0
#include "runtime/executor.h"

#include <cassert>
#include <utility>

namespace fovea {

using graph::ValueId;

Executor::Executor(std::shared_ptr<const Plan> plan)
    : plan_(std::move(plan)),
      arena_(plan_->arena_bytes()),
      persistent_(std::make_shared<const Buffer>(plan_->persistent_bytes())),
      slots_(plan_->slots(), nullptr) {}

Executor::Executor(std::shared_ptr<const Plan> plan, const Executor& other)
    : plan_(std::move(plan)), arena_(plan_->arena_bytes()), persistent_(other.persistent_), slots_(other.slots_) {
  assert(plan_->persistent_bytes() == other.plan_->persistent_bytes() && plan_->slots() == slots_.size());
}

void Executor::bind(ValueId value, float* data) {
  const auto* bound = std::get_if<Plan::Bound>(&plan_->place(value));
  assert(bound != nullptr && "only leaves and bound outputs can be bound");
  slots_[bound->slot] = data;
  resolved_ = false;
}

bool Executor::bind(std::string_view name, float* data) {
  auto value = plan_->graph().find(name);
  if (!value) value = plan_->graph().output(name);
  if (!value || !std::holds_alternative<Plan::Bound>(plan_->place(*value))) return false;
  bind(*value, data);
  return true;
}

TensorView Executor::view(ValueId value) const {
  std::byte* data =
      std::visit(graph::Overloaded{[&](const Plan::Bound& place) { return reinterpret_cast<std::byte*>(slots_[place.slot]); },
                                   [&](const Plan::InArena& place) { return arena_.data() + place.offset; },
                                   [&](const Plan::Persistent& place) { return persistent_->data() + place.offset; }},
                 plan_->place(value));
  return {data, plan_->graph().shape(value), DType::kF32};
}

// Turns places into addresses, once after binding, so that a run only follows pointers.
void Executor::resolve() {
  if (resolved_) return;
  const graph::Graph& graph = plan_->graph();
  std::size_t count = 0;
  for (const graph::Node& node : graph.nodes()) count += node.inputs.size() + node.outputs.size();
  views_.clear();
  views_.reserve(count);  // the spans below point into it
  steps_.clear();
  for (std::size_t n = 0; n < graph.nodes().size(); ++n) {
    const graph::Node& node = graph.nodes()[n];
    const Plan::PlannedNode& planned = plan_->nodes()[n];
    const auto views_of = [&](const std::vector<ValueId>& ids) {
      const std::size_t begin = views_.size();
      for (const ValueId id : ids) views_.push_back(view(id));
      return std::span<const TensorView>(views_.data() + begin, ids.size());
    };
    Arguments arguments;
    arguments.inputs = views_of(node.inputs);
    arguments.outputs = views_of(node.outputs);
    arguments.scratch = arena_.data() + planned.scratch_offset;
    arguments.packed = persistent_->data() + planned.packed_offset;
    steps_.push_back({planned.kernel.get(), arguments, planned.once});
  }
  resolved_ = true;
}

void Executor::prepare_weights() {
  resolve();
  for (const Step& step : steps_) {
    step.kernel->pack(step.arguments);
    if (step.once) step.kernel->run(step.arguments);
  }
}

void Executor::run(const RunState& state) {
  resolve();
  const bool repack = !plan_->constant_weights();
  for (Step& step : steps_) {
    if (step.once) continue;
    step.arguments.state = state;
    if (repack) step.kernel->pack(step.arguments);
    step.kernel->run(step.arguments);
  }
}

TensorView Executor::output(std::string_view name) const {
  const auto value = plan_->graph().output(name);
  assert(value && "no such output");
  return view(*value);
}

}  // namespace fovea
