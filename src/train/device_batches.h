// Fovea: augmented photos whose pixels are made where the network is.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "backend/backend.h"
#include "backend/training_ops.h"
#include "data/loader.h"
#include "train/batch_source.h"
#include "train/held_photos.h"

namespace fovea::training {

/// Loading, drawing and targets are the host's, as BatchLoader's; bytes of photos go to the device, which crops, flips,
/// recolours, normalises and mixes them to the same numbers. A photo is uploaded once and stays where memory has room for it
/// beside what training takes; the others come with every batch that shows them, while the device computes the batch before.
class DeviceBatches final : public BatchSource {
 public:
  /// Of the memory that is left when the first batch is asked for: so much for photos, the rest for what is yet to come.
  static constexpr double kShareForPhotos = 0.8;

  /// `backend` must have TrainingOps; `samples`, `source` and it must outlive this. kLimit where memory does not hold the images.
  static Result<std::unique_ptr<DeviceBatches>> create(const Context& context, const Backend& backend,
                                                       std::span<const Sample> samples, PhotoSource& source,
                                                       const LoaderOptions& options, double share = kShareForPhotos);
  void start_epoch(std::uint32_t epoch, std::int64_t first) override;
  Result<bool> next(StepBatch& batch) override;
  void work_ahead() override;
  [[nodiscard]] std::int64_t batches_per_epoch() const override { return loader_->batches_per_epoch(); }
  [[nodiscard]] std::vector<SkippedPhoto> skipped() const override { return loader_->skipped(); }
  [[nodiscard]] std::string residence() const override;
  [[nodiscard]] const HeldPhotos& held() const { return held_; }
  /// Bytes of photos that were uploaded, and not to stay.
  [[nodiscard]] std::uint64_t streamed_bytes() const { return streamed_; }

 private:
  /// A batch on its way: the next one is brought while this is in use.
  struct Stage {
    Batch batch;
    std::vector<std::byte> tables;  ///< the host's: orders, steps and axes, one after the other
    DeviceBuffer device_tables;
    DeviceBuffer photos;  ///< those that are not held
    Pictures pictures;
    bool filled = false;
  };

  DeviceBatches(const Backend& backend, std::size_t samples, const LoaderOptions& options, double share);
  Result<bool> bring(Stage& stage);
  void upload(Stage& stage);
  std::vector<PictureOrder> upload_photos(Stage& stage);
  void upload_tables(Stage& stage, std::vector<PictureOrder> orders);
  /// At least `bytes`, and no smaller than it was.
  void grow(DeviceBuffer& buffer, std::size_t bytes);

  std::shared_ptr<Memory> memory_;
  std::shared_ptr<TrainingOps> ops_;
  LoaderOptions options_;
  HeldPhotos held_;
  double share_;
  bool room_known_ = false;
  DeviceBuffer images_;
  DeviceBuffer work_;
  Stage stages_[2];
  int current_ = 0;  ///< the stage of the batch in use; the other one is brought
  std::optional<Error> trouble_;
  std::uint64_t streamed_ = 0;
  std::unique_ptr<BatchLoader> loader_;  ///< last, for its threads ask held_
};

/// Photos as batches for a tuner on `backend`: made on the host, or on a device that can.
Result<std::unique_ptr<BatchSource>> make_photo_batches(const Context& context, const Backend& backend,
                                                        std::span<const Sample> samples, PhotoSource& source,
                                                        const LoaderOptions& options);

}  // namespace fovea::training
