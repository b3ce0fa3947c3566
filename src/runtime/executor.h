// Fovea: runs a plan.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "backend/memory.h"
#include "core/buffer.h"
#include "runtime/plan.h"

namespace fovea {

/// Owns the memory of one running plan. Not safe for two threads at once, and neither are two executors of one plan.
///
/// Host memory can be bound whatever the device. A device that cannot reach it gets copies: inputs before every run; parameters
/// and states before prepare_weights, or before every run of a plan whose weights are not constant; and what a run writes into
/// bound values comes back after it. Who trains on a device binds memory of the device itself, and nothing is copied.
class Executor {
 public:
  explicit Executor(std::shared_ptr<const Plan> plan);
  /// Shares leaves and prepared weights with `other`, whose plan must have been made of the same graph, with the same options, by
  /// the same backend. Then the two may run side by side.
  Executor(std::shared_ptr<const Plan> plan, const Executor& other);

  /// Gives the host's memory of an input, parameter, state or bound output; kept until bound anew. It must outlive its use.
  void bind(graph::ValueId value, float* data);
  /// By name; false if the graph has no such leaf or bound output (a pass may have dropped it).
  bool bind(std::string_view name, float* data);
  /// The same with memory of plan().memory(): never copied.
  void bind_resident(graph::ValueId value, float* data);
  bool bind_resident(std::string_view name, float* data);

  /// Computes what depends on parameters and states alone. Needed once after they are bound or changed; training plans repack
  /// in every run and do not need it.
  void prepare_weights();
  /// Everything must be bound. Allocates nothing after the second run.
  void run(const RunState& state = {});
  /// Until what was run is computed.
  void wait() const;

  /// The content of a named output after run(), readable by the host; valid until the next run.
  [[nodiscard]] TensorView output(std::string_view name) const;
  /// The same in plan().memory().
  [[nodiscard]] TensorView resident_output(std::string_view name) const;
  [[nodiscard]] const Plan& plan() const { return *plan_; }

  /// Whether runs are replayed from a recording; and if the device cannot record this plan, why.
  [[nodiscard]] bool recorded() const { return recording_ != nullptr; }
  [[nodiscard]] const std::string& why_not_recorded() const { return why_not_recorded_; }

 private:
  struct Step {
    const Kernel* kernel;
    Arguments arguments;
    bool once;
  };
  /// A leaf or bound output.
  struct Slot {
    std::byte* data = nullptr;             ///< what kernels see
    std::byte* host = nullptr;             ///< what `mirror` is a copy of; null where nothing is copied
    std::shared_ptr<DeviceBuffer> mirror;  ///< on the device
    std::size_t bytes = 0;
    graph::Role role = graph::Role::kIntermediate;
    bool written = false;  ///< by kernels
  };

  [[nodiscard]] std::optional<graph::ValueId> bindable(std::string_view name) const;
  [[nodiscard]] Slot& slot(graph::ValueId value);
  void describe_slots();
  [[nodiscard]] TensorView view(graph::ValueId value) const;
  void resolve();
  void run_steps(const RunState& state);
  void start(const RunState& state);
  void upload(bool inputs, bool weights);
  void download_written();

  std::shared_ptr<const Plan> plan_;
  DeviceBuffer arena_;
  std::shared_ptr<const DeviceBuffer> persistent_;
  std::vector<Slot> slots_;
  std::vector<TensorView> views_;  ///< what the steps' spans point into
  std::vector<Step> steps_;
  bool resolved_ = false;
  mutable std::unordered_map<graph::ValueId, Buffer> outputs_;  ///< copies for the host
  std::unique_ptr<Recording> recording_;
  std::string why_not_recorded_;
  int runs_ = 0;  ///< since the addresses were last changed
};

}  // namespace fovea
