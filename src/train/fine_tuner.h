// Fovea: steps of gradient descent through a network, from a cut on.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "backend/backend.h"
#include "core/buffer.h"
#include "core/context.h"
#include "model/network.h"
#include "runtime/executor.h"
#include "runtime/parameters.h"
#include "train/batch_source.h"
#include "train/optimizer.h"
#include "train/schedule.h"

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
  graph::Precision precision = graph::Precision::kF32;  ///< of inverted residual blocks with stored statistics
  bool multi_label = false;                             ///< the loss is that of BuildOptions::multi_label
};

/// An epoch, or the part of it that is done.
struct EpochResult {
  double loss_sum = 0;  ///< over the photos
  double lr = 0;        ///< of the last step
  std::int64_t batches = 0;
  std::int64_t photos = 0;
  double seconds = 0;
  bool finished = true;  ///< false: on_step ended it, or a stop was asked for

  [[nodiscard]] double loss() const { return photos > 0 ? loss_sum / static_cast<double>(photos) : 0; }  ///< mean
};
/// With stored statistics a batch is the sum of its rows, so it goes through the network a few rows at a time (exactly as good,
/// and the activations stay in the caches); with statistics of the batch it goes in one piece.
class FineTuner {
 public:
  /// `parameters` (laid out as build_network's graph) must outlive this; they are trained in place.
  static Result<FineTuner> create(const Context& context, const Backend& backend, const NetworkSpec& spec,
                                  ParameterSet& parameters, const FineTuneOptions& options);

  /// Called after each step with what is done so far; false, or an error, ends the epoch.
  using OnStep = std::function<Result<bool>(const EpochResult& so_far)>;
  /// `done`: what an earlier call, interrupted, had done of this epoch; it goes on behind that.
  Result<EpochResult> run_epoch(BatchSource& source, std::uint32_t epoch, const OnStep& on_step = {},
                                const EpochResult& done = {});

  /// All that the steps so far have left behind. Put back into a tuner of the same options, it makes the same steps again.
  struct Buffers {
    std::span<float> parameters;  ///< and states
    std::span<float> first;       ///< moments
    std::span<float> second;
    std::span<float> average;  ///< empty where there is none
  };
  [[nodiscard]] Buffers buffers();
  struct Counters {
    std::int64_t steps = 0;
    std::uint32_t runs = 0;
  };
  [[nodiscard]] Counters counters() const { return {optimizer_.steps(), runs_}; }
  void set_counters(const Counters& counters);

  /// Seconds of one step, measured without changing any parameter.
  double measure_step();

  /// Whether any product is computed in bf16.
  [[nodiscard]] bool multiplies_bf16() const;

  /// Memory, with the gradients but without the parameters.
  [[nodiscard]] std::size_t bytes() const;

  /// Before the first step. `average_decay` 0: no average.
  void set_schedule(const Schedule& schedule, double average_decay);
  /// What to validate and to save: the average, or the parameters themselves; as long as ParameterSet::all().
  [[nodiscard]] std::span<const float> result() const;

 private:
  FineTuner(const Context& context, ParameterSet& parameters, const FineTuneOptions& options, int micro_batch,
            std::unique_ptr<Executor> executor, std::vector<Span> spans);
  double accumulate(const StepBatch& batch);
  void update();

  Context context_;
  ParameterSet* parameters_;
  FineTuneOptions options_;
  int micro_batch_;
  std::unique_ptr<Executor> executor_;
  Optimizer optimizer_;
  Buffer sum_;      // of the gradients of a batch's parts
  Buffer average_;  // of the parameters and states over steps
  std::vector<float> scaled_weights_;
  std::uint32_t runs_ = 0;
};

}  // namespace fovea::training
