// SPDX-License-Identifier: Apache-2.0
#include "runtime/executor.h"

#include <cassert>
#include <mutex>
#include <utility>

namespace fovea {
namespace {

using graph::Role;
using graph::ValueId;

/// Holds the device for this thread, where it must be held.
std::unique_lock<std::mutex> take_turn(const Plan& plan) {
  std::mutex* turn = plan.memory()->turn();
  return turn == nullptr ? std::unique_lock<std::mutex>() : std::unique_lock(*turn);
}

}  // namespace

Executor::Executor(std::shared_ptr<const Plan> plan)
    : plan_(std::move(plan)),
      arena_(plan_->memory(), plan_->arena_bytes()),
      persistent_(std::make_shared<const DeviceBuffer>(plan_->memory(), plan_->persistent_bytes())) {
  describe_slots();
}

Executor::Executor(std::shared_ptr<const Plan> plan, const Executor& other)
    : plan_(std::move(plan)), arena_(plan_->memory(), plan_->arena_bytes()), persistent_(other.persistent_) {
  assert(plan_->persistent_bytes() == other.plan_->persistent_bytes() && plan_->slots() == other.slots_.size());
  describe_slots();
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    const bool own = plan_->memory()->on_host() ? false : slots_[i].role == Role::kInput || slots_[i].written;
    if (!own) slots_[i] = other.slots_[i];
  }
}

void Executor::describe_slots() {
  slots_.resize(plan_->slots());
  const graph::Graph& graph = plan_->graph();
  for (std::size_t id = 0; id < graph.values().size(); ++id) {
    const auto value = static_cast<ValueId>(id);
    if (!std::holds_alternative<Plan::Bound>(plan_->place(value))) continue;
    slot(value).role = graph.value(value).role;
    slot(value).bytes = graph.bytes(value);
  }
  for (const graph::Node& node : graph.nodes()) {
    for (const ValueId value : node.outputs) {
      if (std::holds_alternative<Plan::Bound>(plan_->place(value))) slot(value).written = true;
    }
  }
}

Executor::Slot& Executor::slot(ValueId value) {
  const auto* bound = std::get_if<Plan::Bound>(&plan_->place(value));
  assert(bound != nullptr && "only leaves and bound outputs can be bound");
  return slots_[bound->slot];
}

void Executor::bind(ValueId value, float* data) {
  if (plan_->memory()->on_host()) return bind_resident(value, data);
  Slot& to = slot(value);
  to.host = reinterpret_cast<std::byte*>(data);
  if (to.mirror != nullptr && to.data == to.mirror->data()) return;  // the address that kernels know stays
  to.mirror = std::make_shared<DeviceBuffer>(plan_->memory(), to.bytes);
  to.data = to.mirror->data();
  resolved_ = false;
}

void Executor::bind_resident(ValueId value, float* data) {
  Slot& to = slot(value);
  if (to.mirror == nullptr && to.data == reinterpret_cast<std::byte*>(data)) return;  // the address that kernels know stays
  to.data = reinterpret_cast<std::byte*>(data);
  to.host = nullptr;
  to.mirror.reset();
  resolved_ = false;
}

std::optional<ValueId> Executor::bindable(std::string_view name) const {
  auto value = plan_->graph().find(name);
  if (!value) value = plan_->graph().output(name);
  return value && std::holds_alternative<Plan::Bound>(plan_->place(*value)) ? value : std::nullopt;
}

bool Executor::bind(std::string_view name, float* data) {
  const auto value = bindable(name);
  if (value) bind(*value, data);
  return value.has_value();
}

bool Executor::bind_resident(std::string_view name, float* data) {
  const auto value = bindable(name);
  if (value) bind_resident(*value, data);
  return value.has_value();
}

TensorView Executor::view(ValueId value) const {
  std::byte* data =
      std::visit(graph::Overloaded{[&](const Plan::Bound& place) { return slots_[place.slot].data; },
                                   [&](const Plan::InArena& place) { return arena_.data() + place.offset; },
                                   [&](const Plan::Persistent& place) { return persistent_->data() + place.offset; }},
                 plan_->place(value));
  return {data, plan_->graph().shape(value), plan_->graph().dtype(value)};
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
  recording_.reset();
  runs_ = 0;
  resolved_ = true;
}

void Executor::upload(bool inputs, bool weights) {
  for (const Slot& each : slots_) {
    if (each.host == nullptr) continue;
    const bool wanted = each.role == Role::kInput ? inputs : weights && each.role != Role::kIntermediate;
    if (wanted) plan_->memory()->upload({each.host, each.bytes}, each.data);
  }
}

void Executor::download_written() {
  for (const Slot& each : slots_) {
    if (each.host != nullptr && each.written) plan_->memory()->download(each.data, {each.host, each.bytes});
  }
}

void Executor::prepare_weights() {
  const auto turn = take_turn(*plan_);
  resolve();
  upload(false, true);
  for (const Step& step : steps_) {
    step.kernel->pack(step.arguments);
    if (step.once) step.kernel->run(step.arguments);
  }
}

void Executor::run_steps(const RunState& state) {
  const bool repack = !plan_->constant_weights();
  for (Step& step : steps_) {
    if (step.once) continue;
    step.arguments.state = state;
    if (repack) step.kernel->pack(step.arguments);
    step.kernel->run(step.arguments);
  }
}

// The first run after a change of addresses lets libraries set themselves up; the second is written down, where that pays.
void Executor::start(const RunState& state) {
  if (recording_ == nullptr && plan_->recorder() != nullptr && why_not_recorded_.empty() && runs_ > 0) {
    auto made = plan_->recorder()->record([this, state] { run_steps(state); });
    if (made) {
      recording_ = std::move(made).value();
    } else {
      why_not_recorded_ = made.error().message;
    }
  }
  ++runs_;
  recording_ != nullptr ? recording_->replay(state) : run_steps(state);
}

void Executor::run(const RunState& state) {
  const auto turn = take_turn(*plan_);
  resolve();
  upload(true, !plan_->constant_weights());
  start(state);
  download_written();
}

// By turns: while one executor's run is recorded, its device may not be waited for.
void Executor::wait() const {
  const auto turn = take_turn(*plan_);
  plan_->memory()->synchronise();
}

TensorView Executor::resident_output(std::string_view name) const {
  const auto value = plan_->graph().output(name);
  assert(value && "no such output");
  return view(*value);
}

TensorView Executor::output(std::string_view name) const {
  TensorView found = resident_output(name);
  if (plan_->memory()->on_host()) return found;
  const auto turn = take_turn(*plan_);
  Buffer& copy = outputs_[*plan_->graph().output(name)];
  if (copy.size() != found.bytes()) copy = Buffer(found.bytes());
  plan_->memory()->download(found.data, {copy.data(), copy.size()});
  found.data = copy.data();
  return found;
}

}  // namespace fovea
