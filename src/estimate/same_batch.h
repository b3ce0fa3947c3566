// Fovea: batches for timing a step, which takes as long whatever a photo shows.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <vector>

#include "core/error.h"
#include "model/network.h"
#include "train/batch_source.h"

namespace fovea::estimate {

/// The same grey photos again and again. On a device they lie there, as photos do in training: their way there is no part of a
/// step.
class SameBatch final : public training::BatchSource {
 public:
  /// kLimit where memory does not hold them.
  static Result<std::unique_ptr<SameBatch>> create(const Backend& backend, const NetworkSpec& spec, int batch) {
    std::unique_ptr<SameBatch> made(new SameBatch(spec, batch));
    FOVEA_ASSIGN(made->resident_, training::resident_copy(backend, made->input_));
    return made;
  }
  /// So many batches in an epoch, of so many photos each and padding.
  void give(int batches, int count) {
    batches_ = batches;
    count_ = count;
  }
  void start_epoch(std::uint32_t /*epoch*/, std::int64_t first) override { next_ = static_cast<int>(first); }
  Result<bool> next(training::StepBatch& batch) override {
    if (next_ >= batches_) return false;
    ++next_;
    batch = {input_, targets_, weights_, batch_, count_};
    batch.resident = resident_.f32();
    return true;
  }
  [[nodiscard]] std::int64_t batches_per_epoch() const override { return batches_; }

 private:
  SameBatch(const NetworkSpec& spec, int batch)
      : batch_(batch),
        input_(static_cast<std::size_t>(batch) * static_cast<std::size_t>(spec.height * spec.width * 3), 0.1F),
        targets_(static_cast<std::size_t>(batch * spec.classes), 1.0F / static_cast<float>(spec.classes)),
        weights_(static_cast<std::size_t>(batch), 1.0F) {}

  int batch_;
  int batches_ = 1;
  int count_ = 1;
  int next_ = 0;
  std::vector<float> input_;
  DeviceBuffer resident_;
  std::vector<float> targets_;
  std::vector<float> weights_;
};

}  // namespace fovea::estimate
