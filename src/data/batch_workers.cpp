// SPDX-License-Identifier: Apache-2.0
#include "data/batch_workers.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "core/error.h"
#include "core/rng.h"
#include "data/row.h"

namespace fovea {
namespace {

constexpr std::chrono::milliseconds kStopPoll{50};

// Row `row` of the `rows` rows that lie one after the other in `buffer`.
std::span<float> row_of(const Buffer& buffer, std::int64_t row, std::size_t size) {
  return buffer.floats().subspan(static_cast<std::size_t>(row) * size, size);
}

// Those of each batch's rows that are this part's.
std::vector<Visit> own_part(std::vector<Visit> visits, const LoaderOptions& options) {
  if (options.parts == 1) return visits;
  std::vector<Visit> own;
  for (std::size_t i = 0; i < visits.size(); ++i) {
    const auto row = static_cast<std::int64_t>(i) % options.batch;
    if (row / rows_of_part(options) == options.part) own.push_back(visits[i]);
  }
  return own;
}

Buffer zeroed(Buffer buffer, std::size_t count) {
  if (buffer.floats().size() < count) return Buffer(count * sizeof(float));
  std::fill_n(buffer.floats().begin(), count, 0.0F);
  return buffer;
}

}  // namespace

BatchLoader::Workers::Workers(const Context& context, std::span<const Sample> samples, PhotoSource& source,
                              const LoaderOptions& options)
    : context_(context),
      samples_(samples),
      source_(source),
      options_(options),
      pixels_(static_cast<std::size_t>(options.preprocess.height) * static_cast<std::size_t>(options.preprocess.width) * 3),
      rows_(rows_of_part(options)),
      slots_(static_cast<std::size_t>(options.prefetch)) {
  const int count = options.workers > 0 ? options.workers : context.threads;
  for (int i = 0; i < count; ++i) threads_.emplace_back([this] { work(); });
}

BatchLoader::Workers::~Workers() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  work_to_do_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

std::int64_t BatchLoader::Workers::batches() const {
  return (static_cast<std::int64_t>(samples_.size()) + options_.batch - 1) / options_.batch;
}

void BatchLoader::Workers::start_epoch(std::uint32_t epoch, std::int64_t first) {
  std::vector<Visit> visits = own_part(visits_of_epoch(samples_, options_, epoch), options_);
  std::unique_lock lock(mutex_);
  next_draw_ = draws();  // nothing more of the old epoch is begun
  batch_done_.wait(lock, [&] { return rows_in_hand_ == 0; });
  visits_ = std::move(visits);
  epoch_ = epoch;
  next_batch_ = std::clamp<std::int64_t>(first, 0, batches());
  next_draw_ = std::min(next_batch_ * rows_, draws());
  for (std::int64_t b = next_batch_; b < std::min<std::int64_t>(batches(), next_batch_ + options_.prefetch); ++b) prepare(b);
  work_to_do_.notify_all();
}

void BatchLoader::Workers::prepare(std::int64_t batch) {
  Slot& slot = slot_of(batch);
  const auto count = std::clamp<std::int64_t>(draws() - batch * rows_, 0, rows_);
  const std::int64_t rows = options_.last == LoaderOptions::Last::kPad ? rows_ : count;
  const auto n = static_cast<std::size_t>(rows);
  slot.batch.targets = zeroed(std::move(slot.batch.targets), n * static_cast<std::size_t>(options_.classes));
  slot.batch.weights = zeroed(std::move(slot.batch.weights), n);
  slot.batch.index.assign(n, -1);
  slot.batch.rows = rows;
  slot.batch.count = count;
  prepare_pixels(slot.batch, count);
  slot.batch.first_row = options_.part * rows_;
  slot.batch.whole = (batch + 1) * options_.batch <= static_cast<std::int64_t>(samples_.size());
  slot.unfinished = count;
  slot.failures.clear();
}

void BatchLoader::Workers::prepare_pixels(Batch& batch, std::int64_t count) const {
  const auto n = static_cast<std::size_t>(batch.rows);
  if (options_.draw_only) {
    batch.drawn.assign(n, {});
    batch.mix = {};
    return;
  }
  // Pixels of photos are overwritten whole: only padding needs clearing.
  if (batch.images.floats().size() < n * pixels_) batch.images = Buffer(n * pixels_ * sizeof(float));
  for (std::int64_t row = count; row < batch.rows; ++row) std::ranges::fill(row_of(batch.images, row, pixels_), 0.0F);
}

bool BatchLoader::Workers::ready() const {
  const std::lock_guard lock(mutex_);
  return next_batch_ < batches() && slots_[static_cast<std::size_t>(next_batch_) % slots_.size()].unfinished == 0;
}

bool BatchLoader::Workers::may_fill() const {
  return next_draw_ < draws() && next_draw_ / rows_ < next_batch_ + options_.prefetch;
}

void BatchLoader::Workers::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    work_to_do_.wait(lock, [&] { return stop_ || may_fill(); });
    if (stop_) return;
    const std::int64_t draw = next_draw_++;
    ++rows_in_hand_;
    try {
      fill(draw, lock);
    } catch (...) {
      if (!lock.owns_lock()) lock.lock();
      thrown_ = std::current_exception();
    }
    --rows_in_hand_;
    batch_done_.notify_all();
  }
}

void BatchLoader::Workers::fill(std::int64_t draw, std::unique_lock<std::mutex>& lock) {
  Slot& slot = slot_of(draw / rows_);
  lock.unlock();
  auto filled = fill_row(draw, slot.batch);
  context_.tell_folders(samples_[static_cast<std::size_t>(visits_[static_cast<std::size_t>(draw)].sample)].path, filled.ok());
  lock.lock();
  if (!filled) slot.failures.emplace(draw % rows_, filled.error());
  if (slot.unfinished == 1) {  // the last row: nobody else touches the batch now
    lock.unlock();
    mix(draw / rows_, slot.batch);
    lock.lock();
  }
  --slot.unfinished;
}

Result<void> BatchLoader::Workers::fill_row(std::int64_t draw, Batch& batch) const {
  const Visit& visit = visits_[static_cast<std::size_t>(draw)];
  const Sample& sample = samples_[static_cast<std::size_t>(visit.sample)];
  const std::int64_t row = draw % rows_;
  batch.index[static_cast<std::size_t>(row)] = visit.sample;
  fill_target(sample, options_, row_of(batch.targets, row, static_cast<std::size_t>(options_.classes)));
  const auto at = static_cast<std::size_t>(row);
  if (options_.draw_only) {
    FOVEA_ASSIGN(batch.drawn[at], draw_photo(sample, visit, epoch_, source_, options_));
  } else {
    const std::span<float> pixels = row_of(batch.images, row, pixels_);
    auto filled = fill_pixels(sample, visit, epoch_, source_, options_, pixels);
    if (!filled) {
      std::ranges::fill(pixels, 0.0F);
      return filled;
    }
  }
  batch.weights.floats()[at] = weight_of(sample, options_);
  return {};
}

void BatchLoader::Workers::mix(std::int64_t number, Batch& batch) const {
  Rng rng(options_.seed, epoch_, static_cast<std::uint32_t>(number), static_cast<std::uint32_t>(Purpose::kMix));
  const auto n = static_cast<std::size_t>(batch.rows);
  const auto classes = static_cast<std::size_t>(options_.classes);
  if (options_.draw_only) {
    const Preprocess& input = options_.preprocess;
    batch.mix = draw_mix(batch.weights.floats().first(n), input.height, input.width, options_.augment, rng);
    return mix_targets(batch.mix, batch.targets.floats().first(n * classes), classes);
  }
  mix_batch({batch.images.floats().first(n * pixels_), batch.targets.floats().first(n * classes), batch.weights.floats().first(n),
             options_.preprocess.height, options_.preprocess.width},
            options_.augment, rng);
}

Result<bool> BatchLoader::Workers::next(Batch& batch) {
  std::vector<SkippedPhoto> news;
  {
    std::unique_lock lock(mutex_);
    if (next_batch_ >= batches()) return false;
    Slot& slot = slot_of(next_batch_);
    FOVEA_TRY(wait_for(slot, lock));
    if (options_.strict && !slot.failures.empty()) return slot.failures.begin()->second;
    news = remember(slot);
    std::swap(batch, slot.batch);
    const std::int64_t freed = next_batch_++ + options_.prefetch;
    if (freed < batches()) prepare(freed);
  }
  work_to_do_.notify_all();
  for (const SkippedPhoto& photo : news) context_.say(Severity::kWarning, "skipped: " + photo.reason);
  return true;
}

Result<void> BatchLoader::Workers::wait_for(const Slot& slot, std::unique_lock<std::mutex>& lock) {
  while (slot.unfinished > 0 && !thrown_ && !context_.stop_requested()) batch_done_.wait_for(lock, kStopPoll);
  if (thrown_) std::rethrow_exception(thrown_);
  if (context_.stop_requested()) return fail(Error::Kind::kCancelled, "stopped while photos were being loaded");
  return {};
}

// The unreadable photos of a batch that were not met before.
std::vector<SkippedPhoto> BatchLoader::Workers::remember(const Slot& slot) {
  std::vector<SkippedPhoto> news;
  for (const auto& [row, error] : slot.failures) {
    const std::int32_t sample = slot.batch.index[static_cast<std::size_t>(row)];
    if (unreadable_.emplace(sample, error.message).second) {
      news.push_back({samples_[static_cast<std::size_t>(sample)].path, error.message});
    }
  }
  return news;
}

std::vector<SkippedPhoto> BatchLoader::Workers::skipped() const {
  const std::lock_guard lock(mutex_);
  std::vector<SkippedPhoto> photos;
  for (const auto& [sample, reason] : unreadable_) photos.push_back({samples_[static_cast<std::size_t>(sample)].path, reason});
  return photos;
}

}  // namespace fovea
