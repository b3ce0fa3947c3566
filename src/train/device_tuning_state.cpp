// SPDX-License-Identifier: Apache-2.0
#include "train/device_tuning_state.h"

#include <algorithm>

#include "backend/memory.h"
#include "backend/training_ops.h"
#include "core/buffer.h"
#include "runtime/resident_parameters.h"

namespace fovea::training {
namespace {

class DeviceTuningState final : public TuningState {
 public:
  DeviceTuningState(const Backend& backend, ParameterSet& parameters, const OptimizerOptions& options,
                    std::span<const Span> spans)
      : memory_(backend.memory()),
        ops_(backend.training()),
        parameters_(parameters),
        options_(options),
        resident_(memory_, parameters),
        sum_(memory_, moment_bytes()),
        first_(memory_, moment_bytes()),
        second_(memory_, adamw() ? moment_bytes() : 0),
        trained_(memory_, count()),
        work_(memory_, (static_cast<std::size_t>(ops_->clip_floats(trained_floats())) + kScales) * sizeof(float)),
        host_first_(moment_bytes()),
        host_second_(adamw() ? moment_bytes() : 0) {
    std::vector<Trained> marks(count(), Trained::kNo);
    for (const Span& span : spans) {
      std::fill_n(marks.begin() + static_cast<std::ptrdiff_t>(span.offset), span.size,
                  span.decay ? Trained::kDecaying : Trained::kYes);
    }
    memory_->upload(std::as_bytes(std::span(marks)), trained_.data());
  }

  void bind_to(Executor& executor) override { resident_.bind_to(executor, parameters_); }
  double begin_batch(std::int64_t /*pieces*/) override {
    memory_->zero(sum_.data(), sum_.size());
    if (!scales_loss_) return 1;
    memory_->copy(reinterpret_cast<const std::byte*>(states()), kept_states_.data(), kept_states_.size());
    // By now the last step's is long there, so nobody waits.
    before_ = *loss_scale();
    return static_cast<double>(before_.scale);
  }
  void add_gradients() override { ops_->accumulate(resident_.gradients(), sum_.f32(), trained_floats()); }
  Result<void> sum_over(Communicator& team) override { return team.all_reduce_sum({sum_.f32(), count()}); }

  void update(const Step& step) override {
    ops_->clip(sum_.f32(), marks(), trained_floats(), step.clip_norm, work_.f32() + kScales, scale(), loss());
    if (scales_loss_) ops_->put_back(kept_states_.f32(), states(), static_cast<std::int64_t>(state_floats()), scale());
    const TrainingOps::Buffers buffers{resident_.values(), sum_.f32(), first_.f32(), second_.f32(), marks(), scale(),
                                       trained_floats()};
    // Of a step that is left out nobody reads the number.
    const std::int64_t number = ++steps_ - before_.skipped;
    if (adamw()) {
      ops_->adamw({step.rate, options_.weight_decay, options_.beta1, options_.beta2, options_.eps, number}, buffers);
    } else {
      ops_->sgd({step.rate, options_.weight_decay, options_.momentum, options_.nesterov}, buffers);
    }
    if (has_average()) {
      const double toward = average_toward(step.average_decay, number - 1);
      ops_->update_average(toward, resident_.values(), average_.f32(), static_cast<std::int64_t>(resident_.floats()), scale());
    }
  }
  void begin_average() override {
    average_ = DeviceBuffer(memory_, parameters_.all().size_bytes());
    host_average_ = Buffer(average_.size());
    memory_->copy(reinterpret_cast<const std::byte*>(resident_.values()), average_.data(), average_.size());
  }
  [[nodiscard]] bool has_average() const override { return average_.size() != 0; }
  [[nodiscard]] std::int64_t steps() const override { return steps_; }
  void set_steps(std::int64_t steps) override { steps_ = steps; }
  [[nodiscard]] std::optional<LossScale> loss_scale() const override {
    if (!scales_loss_) return std::nullopt;
    LossScale now;
    memory_->download(reinterpret_cast<const std::byte*>(loss()), std::as_writable_bytes(std::span(&now, 1)));
    return now;
  }
  [[nodiscard]] bool scales_loss() const override { return scales_loss_; }
  void set_loss_scale(const LossScale& scale) override {
    if (kept_states_.size() == 0) kept_states_ = DeviceBuffer(memory_, state_floats() * sizeof(float));
    scales_loss_ = true;
    memory_->upload(std::as_bytes(std::span(&scale, 1)), reinterpret_cast<std::byte*>(loss()));
  }

  Buffers fetch() override {
    resident_.download(parameters_);
    for_each_pair([&](const DeviceBuffer& device, const Buffer& host) {
      memory_->download(device.data(), {host.data(), device.size()});
    });
    const auto floats = [](const Buffer& buffer, std::size_t most) {
      return buffer.floats().first(std::min(buffer.floats().size(), most));
    };
    return {parameters_.all(), floats(host_first_, count()), floats(host_second_, count()),
            floats(host_average_, parameters_.all().size())};
  }
  void put_back() override {
    resident_.upload(parameters_);
    for_each_pair([&](const DeviceBuffer& device, const Buffer& host) {
      memory_->upload({host.data(), device.size()}, device.data());
    });
  }
  [[nodiscard]] std::size_t bytes() const override {
    return resident_.floats() * sizeof(float) + sum_.size() + first_.size() + second_.size() + average_.size() + trained_.size() +
           work_.size() + kept_states_.size();
  }

 private:
  static constexpr std::size_t kScales = 16;  // floats: the two scales, on a line of their own
  static constexpr std::size_t kLoss = 4;     // where the loss's begins
  static_assert(sizeof(GradientScale) <= kLoss * sizeof(float) && sizeof(LossScale) <= (kScales - kLoss) * sizeof(float));

  [[nodiscard]] GradientScale* scale() const { return reinterpret_cast<GradientScale*>(work_.f32()); }
  /// Null where the loss is not scaled.
  [[nodiscard]] LossScale* loss() const { return scales_loss_ ? reinterpret_cast<LossScale*>(work_.f32() + kLoss) : nullptr; }
  [[nodiscard]] float* states() const { return resident_.values() + count(); }
  [[nodiscard]] std::size_t state_floats() const { return resident_.floats() - count(); }

  [[nodiscard]] bool adamw() const { return options_.kind == OptimizerOptions::Kind::kAdamW; }
  [[nodiscard]] std::size_t count() const { return parameters_.parameter_floats(); }
  [[nodiscard]] std::int64_t trained_floats() const { return static_cast<std::int64_t>(count()); }
  [[nodiscard]] std::size_t moment_bytes() const { return count() * sizeof(float); }
  [[nodiscard]] const Trained* marks() const { return reinterpret_cast<const Trained*>(trained_.data()); }

  template <class Body>
  void for_each_pair(const Body& body) const {
    body(first_, host_first_);
    if (second_.size() != 0) body(second_, host_second_);
    if (average_.size() != 0) body(average_, host_average_);
  }

  std::shared_ptr<Memory> memory_;
  std::shared_ptr<TrainingOps> ops_;
  ParameterSet& parameters_;
  OptimizerOptions options_;
  ResidentParameters resident_;
  DeviceBuffer sum_;
  DeviceBuffer first_;
  DeviceBuffer second_;
  DeviceBuffer average_;
  DeviceBuffer trained_;  // Trained, one for each float
  DeviceBuffer work_;
  Buffer host_first_;  // copies, for fetch() and put_back()
  Buffer host_second_;
  Buffer host_average_;
  std::int64_t steps_ = 0;
  bool scales_loss_ = false;
  LossScale before_;          // the last update, as begin_batch() read it
  DeviceBuffer kept_states_;  // as the batch found them, where the loss is scaled
};

}  // namespace

std::unique_ptr<TuningState> make_device_tuning_state(const Backend& backend, ParameterSet& parameters,
                                                      const OptimizerOptions& options, std::span<const Span> spans) {
  return std::make_unique<DeviceTuningState>(backend, parameters, options, spans);
}

}  // namespace fovea::training
