// Fovea: steps of gradient descent through a network, from a cut on.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "backend/backend.h"
#include "communicate/communicator.h"
#include "core/context.h"
#include "model/network.h"
#include "runtime/executor.h"
#include "runtime/parameters.h"
#include "train/batch_source.h"
#include "train/optimizer.h"
#include "train/schedule.h"
#include "train/tuning_state.h"

namespace fovea::training {

struct FineTuneOptions {
  NormMode norm = NormMode::kFrozen;
  int cut_stage = -1;  ///< the source gives the output of this stage, and it and all before it are frozen; -1: it gives photos
  int batch = 32;
  OptimizerOptions optimizer;
  Schedule schedule;
  double clip_norm = 1.0;
  double ema_decay = 0;  ///< 0: no average
  std::uint64_t seed = 0;
  graph::Precision precision = graph::Precision::kF32;  ///< of convolutions and blocks with stored statistics
  bool multi_label = false;                             ///< the loss is that of BuildOptions::multi_label
  /// The trainers that share each batch, each with its own parameters and its part of the rows; null: there is one. Its spans are
  /// the host's; `gradient_team`, of the same members, sums gradients where the backends compute, and is `team` where that is the
  /// host. Both must outlive the tuner.
  Communicator* team = nullptr;
  Communicator* gradient_team = nullptr;
};

/// An epoch, or the part of it that is done.
struct EpochResult {
  double loss_sum = 0;  ///< over the photos that are not `lost`
  double lr = 0;        ///< of the last step
  std::int64_t batches = 0;
  std::int64_t photos = 0;
  std::int64_t lost = 0;            ///< of these, in batches whose loss overflowed and is no number: in fp16
  std::int64_t skipped_before = 0;  ///< LossScale::skipped as the epoch began
  double seconds = 0;
  double waited = 0;     ///< seconds of these, for the source's next batch
  bool finished = true;  ///< false: on_step ended it, or a stop was asked for

  [[nodiscard]] double wait_share() const { return seconds > 0 ? waited / seconds : 0; }
  /// The mean; NaN where all were lost.
  [[nodiscard]] double loss() const { return photos > 0 ? loss_sum / static_cast<double>(photos - lost) : 0; }
};
/// A batch that went through the network in smaller pieces than was meant, because memory was short.
struct Split {
  int batch = 0;
  int rows = 0;        ///< at once, from then on
  std::string reason;  ///< what the memory said
};

/// With stored statistics a batch is the sum of its rows, so it goes through the network a few rows at a time (exactly as good,
/// and the activations stay in the caches); with statistics of the batch it goes in one piece. Where the device's memory does not
/// hold that many rows, half of them go at once, which gives the same to rounding; what cannot be split is an error that names a
/// batch to try. Members of a team sum gradients once a batch; statistics of batches are each member's own, and the stored ones
/// are averaged at the end of an epoch.
class FineTuner {
 public:
  /// `backend`, and `parameters` (laid out as build_network's graph), must outlive this; they are trained in place. kLimit when
  /// memory is short and splitting does not help; kUsage when a team cannot share the batch evenly.
  static Result<FineTuner> create(const Context& context, const Backend& backend, const NetworkSpec& spec,
                                  ParameterSet& parameters, const FineTuneOptions& options);

  /// Called after each step with what is done so far, by all of a team; false, or an error, ends the epoch.
  using OnStep = std::function<Result<bool>(const EpochResult& so_far)>;
  /// `done`: what an earlier call, interrupted, had done of this epoch; it goes on behind that. Of a team, the source gives this
  /// member's rows.
  Result<EpochResult> run_epoch(BatchSource& source, std::uint32_t epoch, const OnStep& on_step = {},
                                const EpochResult& done = {});

  /// All that the steps so far have left behind, on the host. Put back into a tuner of the same options, it makes the same steps
  /// again.
  using Buffers = TuningState::Buffers;
  [[nodiscard]] Buffers buffers() { return state_->fetch(); }
  /// After buffers() was written to.
  void put_back() { state_->put_back(); }
  struct Counters {
    std::int64_t steps = 0;
    std::uint32_t batches = 0;
    std::optional<LossScale> loss_scale;  ///< in fp16
  };
  [[nodiscard]] Counters counters() const;
  void set_counters(const Counters& counters);

  /// Seconds of one step, measured without changing any parameter.
  Result<double> measure_step();

  /// What the operands of products are rounded to, if those of any are.
  [[nodiscard]] graph::Precision precision() const;
  /// What runs for so many rows, as often as a batch has them.
  [[nodiscard]] const graph::Graph& graph() const { return executor_->plan().graph(); }
  [[nodiscard]] int rows_at_once() const { return micro_batch_; }

  /// Where memory was short.
  [[nodiscard]] const std::optional<Split>& split() const { return split_; }

  /// Memory, with the gradients but without the parameters.
  [[nodiscard]] std::size_t bytes() const;

  /// Before the first step. `average_decay` 0: no average. kLimit when memory does not hold one.
  Result<void> set_schedule(const Schedule& schedule, double average_decay);
  /// What to validate and to save: the average, or the parameters themselves; as long as ParameterSet::all().
  [[nodiscard]] std::span<const float> result();

 private:
  using Names = std::unordered_set<std::string>;
  FineTuner(const Context& context, const Backend& backend, const NetworkSpec& spec, ParameterSet& parameters,
            const FineTuneOptions& options, Names trained);
  [[nodiscard]] int rows() const;  ///< of the batch that are this member's
  [[nodiscard]] bool has_room_for(const Plan& plan, int rows) const;
  Result<void> make_state();
  template <class Body>
  [[nodiscard]] Result<void> where_state_fits(const Body& body) const;
  Result<std::unique_ptr<Executor>> make_executor(int rows);
  /// Sets executor_, for as many rows as are wanted or as fit.
  Result<void> set_up(int rows);
  Result<void> split_further(int rows, std::string_view reason);
  Result<void> refuse_split(int rows, std::string_view reason);
  /// Rows of the batch become the executor's input.
  void bind_input(const StepBatch& batch, std::size_t first);
  double accumulate(const StepBatch& batch, double total, BatchSource* source);
  /// The weighted sum of the rows' losses through `total`; their gradients in the state. `source`, if any, may work ahead.
  Result<double> compute(const StepBatch& batch, double total, BatchSource* source);
  /// One batch; false: it was left out.
  Result<bool> take_step(const StepBatch& batch, BatchSource& source, EpochResult& result);
  /// Each becomes the sum over the team, where there is one.
  Result<void> sum_over_team(std::span<double> values);
  Result<void> average_statistics();

  Context context_;
  const Backend* backend_;
  NetworkSpec spec_;
  ParameterSet* parameters_;
  FineTuneOptions options_;
  Names trained_;
  int micro_batch_ = 0;
  std::unique_ptr<Executor> executor_;
  std::unique_ptr<TuningState> state_;
  std::vector<float> scaled_weights_;
  DeviceBuffer piece_;  ///< of a batch that is on the device, where it goes through the network in pieces
  std::optional<Split> split_;
  std::uint32_t batches_ = 0;
};

}  // namespace fovea::training
