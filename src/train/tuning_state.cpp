// SPDX-License-Identifier: Apache-2.0
#include "train/tuning_state.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/buffer.h"
#include "train/device_tuning_state.h"
#include "train/vector_math.h"

namespace fovea::training {
namespace {

class HostTuningState final : public TuningState {
 public:
  HostTuningState(const Context& context, ParameterSet& parameters, const OptimizerOptions& options, std::vector<Span> spans)
      : context_(context),
        parameters_(parameters),
        optimizer_(options, std::move(spans), parameters.parameters().size()),
        sum_(parameters.parameters().size() * sizeof(float)) {
    parameters_.allocate_gradients();
  }

  void bind_to(Executor& executor) override { parameters_.bind_to(executor); }
  double begin_batch(std::int64_t pieces) override {
    whole_ = pieces == 1;
    begun_ = false;
    if (pieces == 0) std::ranges::fill(sum_.floats(), 0.0F);
    if (!loss_) return 1;
    kept_states_.assign(states().begin(), states().end());
    return static_cast<double>(loss_->scale);
  }
  void add_gradients() override {
    if (whole_) return;
    const bool first = !std::exchange(begun_, true);
    for (const Span& span : optimizer_.spans()) {
      const auto gradients = parameters_.gradients().subspan(span.offset, span.size);
      const auto sum = sum_.floats().subspan(span.offset, span.size);
      first ? copy(context_, gradients, sum) : add_scaled(context_, 1.0F, gradients, sum);
    }
  }
  Result<void> sum_over(Communicator& team) override { return team.all_reduce_sum(sum()); }

  void update(const Step& step) override {
    const std::int64_t number = optimizer_.steps();
    const double undo = loss_ ? 1 / static_cast<double>(loss_->scale) : 1;
    const double norm = undo * gradient_norm(context_, sum(), optimizer_.spans());
    if (loss_) {
      loss_ = loss_->after(std::isfinite(norm));
      if (!std::isfinite(norm)) {
        std::ranges::copy(kept_states_, states().begin());
        return;
      }
    }
    optimizer_.step(context_, parameters_.parameters(), sum(), step.rate, undo * clip_scale(norm, step.clip_norm));
    if (has_average()) update_average(context_, step.average_decay, number, parameters_.all(), average());
  }
  void begin_average() override {
    average_ = Buffer(parameters_.all().size_bytes());
    std::ranges::copy(parameters_.all(), average_.floats().begin());
  }
  [[nodiscard]] bool has_average() const override { return average_.size() != 0; }
  [[nodiscard]] std::int64_t steps() const override { return optimizer_.steps() + skipped(); }
  void set_steps(std::int64_t steps) override { optimizer_.set_steps(steps - skipped()); }
  [[nodiscard]] std::optional<LossScale> loss_scale() const override { return loss_; }
  [[nodiscard]] bool scales_loss() const override { return loss_.has_value(); }
  void set_loss_scale(const LossScale& scale) override {
    const std::int64_t all = steps();
    loss_ = scale;
    set_steps(all);
  }

  Buffers fetch() override {
    const auto trained = [&](std::span<float> moments) {
      return moments.first(std::min(moments.size(), parameters_.parameters().size()));
    };
    return {parameters_.all(), trained(optimizer_.first_moments()), trained(optimizer_.second_moments()), average()};
  }
  void put_back() override {}
  [[nodiscard]] std::size_t bytes() const override {
    return parameters_.gradients().size_bytes() + optimizer_.bytes() + sum_.size() + average_.size();
  }

 private:
  /// The gradients themselves where there is one piece: they stay until the next batch.
  [[nodiscard]] std::span<float> sum() const {
    return whole_ ? parameters_.gradients() : sum_.floats().first(parameters_.parameters().size());
  }
  [[nodiscard]] std::span<float> average() const {
    return average_.floats().first(std::min(average_.floats().size(), parameters_.all().size()));
  }

  [[nodiscard]] std::span<float> states() const { return parameters_.all().subspan(parameters_.parameter_floats()); }
  [[nodiscard]] std::int64_t skipped() const { return loss_ ? loss_->skipped : 0; }

  Context context_;
  ParameterSet& parameters_;
  Optimizer optimizer_;
  Buffer sum_;
  bool whole_ = false;  ///< the batch is one piece
  bool begun_ = false;  ///< the sum holds a piece
  Buffer average_;
  std::optional<LossScale> loss_;
  std::vector<float> kept_states_;  ///< as the batch found them, where the loss is scaled
};

}  // namespace

std::unique_ptr<TuningState> make_tuning_state(const Context& context, const Backend& backend, ParameterSet& parameters,
                                               const OptimizerOptions& options, std::vector<Span> spans) {
  if (backend.training() != nullptr) return make_device_tuning_state(backend, parameters, options, spans);
  return std::make_unique<HostTuningState>(context, parameters, options, std::move(spans));
}

}  // namespace fovea::training
