// SPDX-License-Identifier: Apache-2.0
#include "data/loader.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "core/error.h"
#include "data/batch_workers.h"
#include "data/row.h"

namespace fovea {
namespace {

// Enough for any network here, and small enough that products of sizes cannot overflow.
constexpr int kLargestSide = 1 << 14;
constexpr int kLargestBatch = 1 << 16;

Result<void> check(std::span<const Sample> samples, const PhotoSource& source, const LoaderOptions& options) {
  const Preprocess& input = options.preprocess;
  const auto refuse = [](std::string_view what, auto value) {
    return fail(Error::Kind::kUsage, "loader: {} {} makes no sense", what, value);
  };
  if (options.batch < 1 || options.batch > kLargestBatch) return refuse("batch of", options.batch);
  if (options.parts < 1 || options.part < 0 || options.part >= options.parts) return refuse("part number", options.part);
  if (options.batch % options.parts != 0) {
    return fail(Error::Kind::kUsage, "loader: a batch of {} cannot be shared by {} trainers evenly", options.batch,
                options.parts);
  }
  if (options.classes < 1) return refuse("number of classes", options.classes);
  if (options.prefetch < 1) return refuse("prefetch of", options.prefetch);
  if (options.workers < 0) return refuse("number of workers", options.workers);
  if (std::min(input.height, input.width) < 1 || std::max(input.height, input.width) > kLargestSide)
    return refuse("input size", std::max(input.height, input.width));
  if (!(options.label_smoothing >= 0 && options.label_smoothing < 1)) return refuse("label smoothing", options.label_smoothing);
  if (!options.class_weights.empty() && options.class_weights.size() != static_cast<std::size_t>(options.classes)) {
    return refuse("number of class weights", options.class_weights.size());
  }
  if (samples.size() > static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max()))
    return refuse("number of samples", samples.size());
  for (const Sample& sample : samples) {
    if (!sample.labels.empty() && (sample.labels.front() < 0 || sample.labels.back() >= options.classes)) {
      return fail(Error::Kind::kUsage, "loader: {}: label {}, expected 0 to {}", sample.path.string(), sample.labels.back(),
                  options.classes - 1);
    }
  }
  if (source.fitted() != nullptr && *source.fitted() != input) {
    return fail(Error::Kind::kUsage, "loader: the photos were fitted for another preprocessing than the one asked for");
  }
  if (source.fitted() != nullptr && options.augment != AugmentPolicy{}) {
    return fail(Error::Kind::kUsage, "loader: fitted photos cannot be augmented; use a source of whole ones");
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<BatchLoader>> BatchLoader::create(const Context& context, std::span<const Sample> samples,
                                                         PhotoSource& source, const LoaderOptions& options) {
  FOVEA_TRY(check(samples, source, options));
  return std::unique_ptr<BatchLoader>(new BatchLoader(std::make_unique<Workers>(context, samples, source, options)));
}

BatchLoader::BatchLoader(std::unique_ptr<Workers> workers) : workers_(std::move(workers)) {}
BatchLoader::~BatchLoader() = default;

void BatchLoader::start_epoch(std::uint32_t epoch, std::int64_t first) { workers_->start_epoch(epoch, first); }
Result<bool> BatchLoader::next(Batch& batch) { return workers_->next(batch); }
bool BatchLoader::ready() const { return workers_->ready(); }
std::int64_t BatchLoader::batches_per_epoch() const { return workers_->batches(); }
std::vector<SkippedPhoto> BatchLoader::skipped() const { return workers_->skipped(); }

}  // namespace fovea
