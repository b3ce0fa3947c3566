// Fovea: a recorded network on a backend: its logits, its gradients, its training.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "golden/golden_case.h"
#include "graph/compile.h"
#include "runtime/executor.h"
#include "runtime/parameters.h"

namespace fovea::test {

enum class Use { kInference, kFrozenTraining, kLiveTraining };

/// Compiled as the program compiles it, with the parameters that the case begins with. Frozen statistics are the stored ones,
/// live training starts from drawn ones, so that their update shows.
/// Blocks with live statistics are one op where the backend has it, unless that is chosen; products are of floats, unless
/// training of another precision is. In fp16 the loss is scaled as training begins with it; loss() and gradients are without the
/// scale.
class NetworkRunner {
 public:
  static Result<std::unique_ptr<NetworkRunner>> make(const GoldenCase& golden, std::string_view backend, Use use,
                                                     std::optional<graph::LiveBlocks> live_blocks = {},
                                                     graph::Precision precision = graph::Precision::kF32);

  void run();
  /// Of the last run.
  [[nodiscard]] float loss() const { return output("loss")[0] / loss_scale_; }
  [[nodiscard]] std::span<float> output(std::string_view name) const { return executor_->output(name).floats(); }
  [[nodiscard]] std::span<const float> gradient(std::string_view parameter);
  [[nodiscard]] std::span<const float> value(std::string_view name);
  /// velocity = momentum velocity + gradient; value -= rate velocity.
  void step(double rate, double momentum);

 private:
  NetworkRunner() = default;
  void set_values(const GoldenCase& golden, bool stored_states);

  ParameterSet parameters_;
  std::unique_ptr<Executor> executor_;
  std::vector<float> image_;
  std::vector<float> targets_;
  std::vector<float> weights_;
  std::vector<float> velocity_;
  float loss_scale_ = 1;
};

}  // namespace fovea::test
