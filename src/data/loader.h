// Fovea: batches of network input, prepared ahead by worker threads, in an order that does not depend on them.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/buffer.h"
#include "core/context.h"
#include "data/augment.h"
#include "data/dataset.h"
#include "data/drawn_photo.h"
#include "data/source.h"
#include "fovea/result.h"
#include "fovea/skipped_photo.h"
#include "image/preprocess.h"

namespace fovea {

struct LoaderOptions {
  enum class Last : std::uint8_t {
    kPad,    ///< the last batch has `batch` rows like all; those beyond `count` have weight, image and target 0
    kShort,  ///< the last batch has fewer rows
  };
  enum class Order : std::uint8_t {
    kInOrder,   ///< as listed: for validation
    kShuffled,  ///< every sample once, in an order drawn from (seed, epoch)
    kBalanced,  ///< as many draws as samples; each class as often as any other, a sample of it next only when all had their turn
  };
  int batch = 32;
  /// Of several trainers that share each batch: this one's rows are part `part` of `parts` equal ones. Photos are mixed with
  /// others of the same part.
  int part = 0;
  int parts = 1;
  Last last = Last::kPad;
  Order order = Order::kInOrder;
  Preprocess preprocess;
  AugmentPolicy augment;
  int classes = 0;                   ///< K
  float label_smoothing = 0;         ///< e: target (1 - e) y + e / K; for several labels (1 - e) y + e / 2
  bool multi_label = false;          ///< targets are one 0/1 per class, not a distribution
  std::vector<float> class_weights;  ///< K of them, or none: the weight of a sample is that of its class (mean over its labels)
  std::uint64_t seed = 0;
  int workers = 0;      ///< threads; 0: as many as context.threads
  int prefetch = 2;     ///< batches made ahead
  bool strict = false;  ///< the first unreadable photo ends the epoch with its error
  /// The pixels are made by whoever takes the batches: these have `drawn` and `mix`, and no images.
  bool draw_only = false;
  /// Of draw_only, called by several threads at once: the size of the sample's photo if its pixels are not needed any more.
  std::function<PhotoSize(std::int32_t sample)> held;
};

/// Rows of a batch. Pixels of a photo that could not be read are 0, and so is its weight.
struct Batch {
  Buffer images;                    ///< floats (N, height, width, 3), normalised
  Buffer targets;                   ///< floats (N, K)
  Buffer weights;                   ///< floats (N)
  std::vector<DrawnPhoto> drawn;    ///< (N) with draw_only; those that are not usable have image 0
  MixPlan mix;                      ///< with draw_only: what has happened to the targets, and is to happen to the images
  std::vector<std::int32_t> index;  ///< (N) position in the list of samples, -1 for padding
  std::int64_t rows = 0;            ///< N
  std::int64_t count = 0;           ///< rows that are not padding: the first ones
  std::int64_t first_row = 0;       ///< number of the first row in the batch that is shared
  bool whole = true;                ///< no part of the batch has padding
};

/// Rows of each batch that are one part's.
[[nodiscard]] inline std::int64_t rows_of_part(const LoaderOptions& options) { return options.batch / options.parts; }

class BatchLoader {
 public:
  /// `samples` and `source` must outlive the loader. kUsage for options that make no sense.
  static Result<std::unique_ptr<BatchLoader>> create(const Context& context, std::span<const Sample> samples, PhotoSource& source,
                                                     const LoaderOptions& options);
  /// Stops the workers after the photo in their hands.
  ~BatchLoader();
  BatchLoader(const BatchLoader&) = delete;
  BatchLoader& operator=(const BatchLoader&) = delete;

  /// Forgets what is left of the running epoch and begins to prepare another, from its batch `first` on.
  void start_epoch(std::uint32_t epoch, std::int64_t first = 0);
  /// Swaps the next batch into `batch`, whose memory is used again for a later one; false at the end of the epoch.
  /// kCancelled when context asks for a stop; with `strict`, the error of a photo.
  Result<bool> next(Batch& batch);

  /// Whether next() would give a batch without waiting for one.
  [[nodiscard]] bool ready() const;

  [[nodiscard]] std::int64_t batches_per_epoch() const;
  /// Every unreadable photo met so far, once each, in the order of the samples.
  [[nodiscard]] std::vector<SkippedPhoto> skipped() const;

 private:
  class Workers;
  explicit BatchLoader(std::unique_ptr<Workers> workers);
  std::unique_ptr<Workers> workers_;
};

}  // namespace fovea
