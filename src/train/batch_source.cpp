// SPDX-License-Identifier: Apache-2.0
#include "train/batch_source.h"

#include <algorithm>

#include "core/device_failure.h"
#include "core/error.h"
#include "data/row.h"

namespace fovea::training {

Result<DeviceBuffer> resident_copy(const Backend& backend, std::span<const float> input) {
  const std::shared_ptr<Memory> memory = backend.memory();
  if (memory->on_host()) return DeviceBuffer();
  try {
    DeviceBuffer copy(memory, input.size_bytes());
    memory->upload(std::as_bytes(input), copy.data());
    return copy;
  } catch (const DeviceFailure& failure) {
    if (!failure.out_of_memory()) throw;
    return fail(Error::Kind::kLimit, "training: memory does not hold the pixels of a batch ({}); try a smaller --batch",
                failure.what());
  }
}

Result<bool> PhotoBatches::next(StepBatch& batch) {
  auto more = loader_->next(batch_);
  if (!more || !*more) return more;
  batch = {batch_.images.floats(),
           batch_.targets.floats(),
           batch_.weights.floats(),
           batch_.rows,
           batch_.count,
           batch_.first_row,
           batch_.whole};
  return true;
}

CachedBatches::CachedBatches(LabelledTable table, std::span<const Sample> samples, LoaderOptions options)
    : table_(std::move(table)), options_(std::move(options)) {
  for (const std::int32_t sample : table_.index) rows_.push_back({{}, samples[static_cast<std::size_t>(sample)].labels});
  position_ = rows_.size();
}

std::int64_t CachedBatches::batches_per_epoch() const {
  return (static_cast<std::int64_t>(rows_.size()) + options_.batch - 1) / options_.batch;
}

void CachedBatches::start_epoch(std::uint32_t epoch, std::int64_t first) {
  visits_ = visits_of_epoch(rows_, options_, epoch);
  position_ = std::min(rows_.size(), static_cast<std::size_t>(first * options_.batch));
}

Result<bool> CachedBatches::next(StepBatch& batch) {
  if (position_ >= rows_.size()) return false;
  const auto width = static_cast<std::size_t>(table_.table.width);
  const auto rows = static_cast<std::size_t>(rows_of_part(options_));
  const auto classes = static_cast<std::size_t>(options_.classes);
  const std::size_t first = rows * static_cast<std::size_t>(options_.part);
  const std::size_t whole = std::min(static_cast<std::size_t>(options_.batch), rows_.size() - position_);
  const std::size_t count = std::min(rows, whole - std::min(whole, first));
  input_.assign(rows * width, 0.0F);
  targets_.assign(rows * classes, 0.0F);
  weights_.assign(rows, 0.0F);
  for (std::size_t r = 0; r < count; ++r) {
    const std::int32_t n = visits_[position_ + first + r].sample;
    const Sample& sample = rows_[static_cast<std::size_t>(n)];
    std::ranges::copy(table_.table.row(n), input_.begin() + static_cast<std::ptrdiff_t>(r * width));
    fill_target(sample, options_, std::span(targets_).subspan(r * classes, classes));
    weights_[r] = weight_of(sample, options_);
  }
  position_ += whole;
  batch = {input_,
           targets_,
           weights_,
           static_cast<std::int64_t>(rows),
           static_cast<std::int64_t>(count),
           static_cast<std::int64_t>(first),
           whole == static_cast<std::size_t>(options_.batch)};
  return true;
}

}  // namespace fovea::training
