// Fovea: the threads behind BatchLoader. A ring of batches is filled row by row, rows handed out in order.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <map>
#include <mutex>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "data/loader.h"
#include "data/order.h"

namespace fovea {

class BatchLoader::Workers {
 public:
  Workers(const Context& context, std::span<const Sample> samples, PhotoSource& source, const LoaderOptions& options);
  ~Workers();
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  void start_epoch(std::uint32_t epoch, std::int64_t first);
  Result<bool> next(Batch& batch);
  [[nodiscard]] bool ready() const;
  [[nodiscard]] std::int64_t batches() const;
  [[nodiscard]] std::vector<SkippedPhoto> skipped() const;

 private:
  // A batch of the ring while it is being filled.
  struct Slot {
    Batch batch;
    std::int64_t unfinished = 0;             ///< rows
    std::map<std::int64_t, Error> failures;  ///< by row: so that what is said does not depend on who came first
  };

  [[nodiscard]] std::int64_t draws() const { return static_cast<std::int64_t>(visits_.size()); }
  [[nodiscard]] Slot& slot_of(std::int64_t batch) { return slots_[static_cast<std::size_t>(batch) % slots_.size()]; }
  void prepare_pixels(Batch& batch, std::int64_t count) const;
  [[nodiscard]] bool may_fill() const;
  void prepare(std::int64_t batch);
  void work();
  void fill(std::int64_t draw, std::unique_lock<std::mutex>& lock);
  Result<void> fill_row(std::int64_t draw, Batch& batch) const;
  void mix(std::int64_t number, Batch& batch) const;
  Result<void> wait_for(const Slot& slot, std::unique_lock<std::mutex>& lock);
  std::vector<SkippedPhoto> remember(const Slot& slot);

  const Context context_;
  const std::span<const Sample> samples_;
  PhotoSource& source_;
  const LoaderOptions options_;
  const std::size_t pixels_;  ///< floats of one image
  const std::int64_t rows_;   ///< of this part of a batch

  mutable std::mutex mutex_;
  std::condition_variable work_to_do_;
  std::condition_variable batch_done_;
  std::vector<Slot> slots_;
  std::vector<Visit> visits_;  ///< of the epoch, this part's; constant while rows are in hand
  std::uint32_t epoch_ = 0;
  std::int64_t next_draw_ = 0;   ///< the first that nobody has taken
  std::int64_t next_batch_ = 0;  ///< the first that has not been given away
  int rows_in_hand_ = 0;
  bool stop_ = false;
  std::exception_ptr thrown_;
  std::map<std::int32_t, std::string> unreadable_;  ///< by sample
  std::vector<std::thread> threads_;
};

}  // namespace fovea
