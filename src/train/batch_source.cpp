// SPDX-License-Identifier: Apache-2.0
#include "train/batch_source.h"

#include <algorithm>
#include <numeric>

#include "core/rng.h"

namespace fovea::training {

Result<bool> PhotoBatches::next(StepBatch& batch) {
  auto more = loader_->next(batch_);
  if (!more || !*more) return more;
  batch = {batch_.images.floats(), batch_.targets.floats(), batch_.weights.floats(), batch_.rows, batch_.count};
  return true;
}

CachedBatches::CachedBatches(LabelledTable table, const Options& options)
    : table_(std::move(table)), options_(options), order_(table_.labels.size()) {
  std::iota(order_.begin(), order_.end(), 0);
  position_ = order_.size();
}

std::int64_t CachedBatches::batches_per_epoch() const {
  return (static_cast<std::int64_t>(order_.size()) + options_.batch - 1) / options_.batch;
}

void CachedBatches::start_epoch(std::uint32_t epoch, std::int64_t first) {
  std::iota(order_.begin(), order_.end(), 0);
  Rng rng(options_.seed, epoch);
  for (std::size_t i = order_.size(); i > 1; --i) std::swap(order_[i - 1], order_[rng.below(static_cast<std::uint32_t>(i))]);
  position_ = std::min(order_.size(), static_cast<std::size_t>(first * options_.batch));
}

Result<bool> CachedBatches::next(StepBatch& batch) {
  if (position_ >= order_.size()) return false;
  const auto width = static_cast<std::size_t>(table_.table.width);
  const auto rows = static_cast<std::size_t>(options_.batch);
  const auto classes = static_cast<std::size_t>(options_.classes);
  const std::size_t count = std::min(rows, order_.size() - position_);
  input_.assign(rows * width, 0.0F);
  targets_.assign(rows * classes, 0.0F);
  weights_.assign(rows, 0.0F);
  for (std::size_t r = 0; r < count; ++r) {
    const auto n = static_cast<std::size_t>(order_[position_ + r]);
    std::ranges::copy(table_.table.row(static_cast<std::int64_t>(n)), input_.begin() + static_cast<std::ptrdiff_t>(r * width));
    const auto label = static_cast<std::size_t>(table_.labels[n]);
    const auto target = std::span(targets_).subspan(r * classes, classes);
    std::ranges::fill(target, options_.label_smoothing / static_cast<float>(classes));
    target[label] += 1 - options_.label_smoothing;
    weights_[r] = options_.class_weights.empty() ? 1.0F : options_.class_weights[label];
  }
  position_ += count;
  batch = {input_, targets_, weights_, static_cast<std::int64_t>(rows), static_cast<std::int64_t>(count)};
  return true;
}

}  // namespace fovea::training
