// Fovea: where the batches of fine-tuning come from: photos, or activations of frozen blocks.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "backend/backend.h"
#include "data/loader.h"
#include "data/order.h"
#include "train/photo_rows.h"

namespace fovea::training {

/// Rows beyond `count` are padding: their weights are 0.
struct StepBatch {
  std::span<float> input;          ///< (rows, ...); empty where `resident` has it
  std::span<const float> targets;  ///< (rows, classes)
  std::span<const float> weights;  ///< (rows)
  std::int64_t rows = 0;
  std::int64_t count = 0;
  std::int64_t first_row = 0;  ///< number of the first row in the batch, where several trainers share it
  bool whole = true;           ///< no part of the batch has padding
  float* resident = nullptr;   ///< the input, in the memory of the backend that the source was made for
};

/// A copy of such an input in the memory of a backend whose kernels do not reach the host's; of another one nothing. kLimit where
/// memory does not hold it.
Result<DeviceBuffer> resident_copy(const Backend& backend, std::span<const float> input);

class BatchSource {
 public:
  BatchSource() = default;
  BatchSource(const BatchSource&) = delete;
  BatchSource& operator=(const BatchSource&) = delete;
  virtual ~BatchSource() = default;

  /// Begins an epoch at its batch `first`: all before it are passed over.
  virtual void start_epoch(std::uint32_t epoch, std::int64_t first = 0) = 0;
  /// The next batch, valid until the call after; false at the end of the epoch.
  virtual Result<bool> next(StepBatch& batch) = 0;
  /// Called while a device computes the batch: time to bring the next one there. Waits for nobody.
  virtual void work_ahead() {}
  [[nodiscard]] virtual std::int64_t batches_per_epoch() const = 0;
  [[nodiscard]] virtual std::vector<SkippedPhoto> skipped() const { return {}; }
  /// Where the photos are, for people; empty where there is nothing to say.
  [[nodiscard]] virtual std::string residence() const { return {}; }
};

/// Augmented photos.
class PhotoBatches final : public BatchSource {
 public:
  explicit PhotoBatches(std::unique_ptr<BatchLoader> loader) : loader_(std::move(loader)) {}
  void start_epoch(std::uint32_t epoch, std::int64_t first) override { loader_->start_epoch(epoch, first); }
  Result<bool> next(StepBatch& batch) override;
  [[nodiscard]] std::int64_t batches_per_epoch() const override { return loader_->batches_per_epoch(); }
  [[nodiscard]] std::vector<SkippedPhoto> skipped() const override { return loader_->skipped(); }

 private:
  std::unique_ptr<BatchLoader> loader_;
  Batch batch_;
};

/// Cached activations instead of photos; order, targets and weights as BatchLoader's.
class CachedBatches final : public BatchSource {
 public:
  /// `samples`: what the rows' `index` counts. Of the options, those of pixels and workers say nothing here.
  CachedBatches(LabelledTable table, std::span<const Sample> samples, LoaderOptions options);
  void start_epoch(std::uint32_t epoch, std::int64_t first) override;
  Result<bool> next(StepBatch& batch) override;
  [[nodiscard]] std::int64_t batches_per_epoch() const override;

 private:
  LabelledTable table_;
  LoaderOptions options_;
  std::vector<Sample> rows_;  ///< labels alone
  std::vector<Visit> visits_;
  std::size_t position_ = 0;  ///< of the next batch in `visits_`
  std::vector<float> input_;
  std::vector<float> targets_;
  std::vector<float> weights_;
};

}  // namespace fovea::training
