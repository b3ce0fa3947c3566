// Fovea: runs a plan.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "core/buffer.h"
#include "runtime/plan.h"

namespace fovea {

/// Owns the memory of one running plan. Not safe for two threads at once, and neither are two executors of one plan.
class Executor {
 public:
  explicit Executor(std::shared_ptr<const Plan> plan);
  /// Shares leaves and prepared weights with `other`, whose plan must have been made of the same graph, with the same options, by
  /// the same backend. Then the two may run side by side.
  Executor(std::shared_ptr<const Plan> plan, const Executor& other);

  /// Gives the memory of an input, parameter, state or bound output; kept until bound anew. It must outlive its use.
  void bind(graph::ValueId value, float* data);
  /// By name; false if the graph has no such leaf or bound output (a pass may have dropped it).
  bool bind(std::string_view name, float* data);

  /// Computes what depends on parameters and states alone. Needed once after they are bound or changed; training plans repack
  /// in every run and do not need it.
  void prepare_weights();
  /// Everything must be bound. Allocates nothing.
  void run(const RunState& state = {});

  /// The content of a named output after run(); valid until the next run.
  [[nodiscard]] TensorView output(std::string_view name) const;
  [[nodiscard]] const Plan& plan() const { return *plan_; }

 private:
  struct Step {
    const Kernel* kernel;
    Arguments arguments;
    bool once;
  };
  [[nodiscard]] TensorView view(graph::ValueId value) const;
  void resolve();

  std::shared_ptr<const Plan> plan_;
  Buffer arena_;
  std::shared_ptr<const Buffer> persistent_;
  std::vector<float*> slots_;
  std::vector<TensorView> views_;  ///< what the steps' spans point into
  std::vector<Step> steps_;
  bool resolved_ = false;
};

}  // namespace fovea
