// Fovea: the flat buffers that fine-tuning moves, and the passes over them, where the backend computes.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "backend/backend.h"
#include "backend/loss_scale.h"
#include "communicate/communicator.h"
#include "core/context.h"
#include "runtime/executor.h"
#include "runtime/parameters.h"
#include "train/optimizer.h"

namespace fovea::training {

/// Values, gradients and their sum over the pieces of a batch, moments, moving average: all in the memory of one backend.
class TuningState {
 public:
  TuningState() = default;
  TuningState(const TuningState&) = delete;
  TuningState& operator=(const TuningState&) = delete;
  virtual ~TuningState() = default;

  /// Values, and the gradients that `executor` computes.
  virtual void bind_to(Executor& executor) = 0;
  /// Before a batch of so many pieces, or the same one anew: its sum begins with zeros. Returns what the loss is to be multiplied
  /// by.
  virtual double begin_batch(std::int64_t pieces) = 0;
  /// After each piece.
  virtual void add_gradients() = 0;
  /// Everybody of the team has the sum of all sums; the team's spans lie where this does.
  virtual Result<void> sum_over(Communicator& team) = 0;

  struct Step {
    double rate = 0;
    double clip_norm = 0;  ///< 0: none
    double average_decay = 0;
  };
  /// Moves the values against the sum, and the average after them, if there is one. Where the loss is scaled and the sum is no
  /// number, nothing has moved since begin_batch(), and the scale alone is another.
  virtual void update(const Step& step) = 0;
  virtual void begin_average() = 0;
  [[nodiscard]] virtual bool has_average() const = 0;
  /// How often update() was called: what a schedule goes by. Optimiser and average count those that moved something.
  [[nodiscard]] virtual std::int64_t steps() const = 0;
  virtual void set_steps(std::int64_t steps) = 0;
  /// None: the loss is what it is. From when one is set, it is scaled.
  [[nodiscard]] virtual std::optional<LossScale> loss_scale() const = 0;
  virtual void set_loss_scale(const LossScale& scale) = 0;
  [[nodiscard]] virtual bool scales_loss() const = 0;

  /// Everything on the host, as it is now. What is written there counts after put_back().
  struct Buffers {
    std::span<float> parameters;  ///< and states
    std::span<float> first;       ///< moments
    std::span<float> second;
    std::span<float> average;  ///< empty where there is none
  };
  virtual Buffers fetch() = 0;
  virtual void put_back() = 0;
  [[nodiscard]] virtual std::size_t bytes() const = 0;
};

/// `parameters` must outlive it, and are where the host's copy of the values is.
[[nodiscard]] std::unique_ptr<TuningState> make_tuning_state(const Context& context, const Backend& backend,
                                                             ParameterSet& parameters, const OptimizerOptions& options,
                                                             std::vector<Span> spans);

}  // namespace fovea::training
