// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <atomic>

#include "core/error.h"
#include "core/user_folders.h"
#include "data/cache.h"
#include "data/loader.h"
#include "data/similar.h"
#include "data/workers.h"
#include "estimate/probe.h"
#include "train/recipe.h"
#include "train/trial.h"

namespace fovea::estimate {
namespace {

namespace fs = std::filesystem;

/// A folder in the user's cache, so that it is on the same disk as what training keeps; gone when this goes.
class ScratchFolder {
 public:
  static ScratchFolder make() {
    ScratchFolder scratch;
    if (const auto cache = user_cache_folder()) scratch.path_ = *cache / ("plan-" + std::to_string(::getpid()));
    return scratch;
  }
  ScratchFolder(ScratchFolder&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  ScratchFolder& operator=(ScratchFolder&&) = delete;
  ~ScratchFolder() {
    std::error_code ignored;  // what is left over does no harm
    if (!path_.empty()) fs::remove_all(path_, ignored);
  }
  [[nodiscard]] CacheOptions cache_options() const {
    if (path_.empty()) return {.where = CacheOptions::Where::kOff};
    return {.where = CacheOptions::Where::kFile, .folder = path_};
  }

 private:
  ScratchFolder() = default;
  fs::path path_;
};

/// A photo's share of doing this to all of them.
template <class Body>
Cost cost_of_each(const Context& context, std::span<const Sample> samples, const Body& body) {
  const CostWatch watch;
  for_each_photo(context, static_cast<std::int64_t>(samples.size()),
                 [&](std::int64_t i) { body(samples[static_cast<std::size_t>(i)].path); });
  return (1 / static_cast<double>(samples.size())) * watch.elapsed();
}

Result<Cost> cost_of_epoch(const Context& context, std::span<const Sample> samples, PhotoSource& source,
                           const LoaderOptions& options, std::uint32_t epoch) {
  const CostWatch watch;
  FOVEA_ASSIGN(const auto loader, BatchLoader::create(context, samples, source, options));
  loader->start_epoch(epoch);
  Batch batch;
  for (bool more = true; more;) {
    FOVEA_ASSIGN(more, loader->next(batch));
  }
  return (1 / static_cast<double>(samples.size())) * watch.elapsed();
}

}  // namespace

std::vector<Sample> spread_samples(std::span<const Sample> samples, std::size_t count) {
  std::vector<Sample> chosen;
  count = std::min(count, samples.size());
  for (std::size_t i = 0; i < count; ++i) chosen.push_back(samples[i * samples.size() / count]);
  return chosen;
}

Result<PhotoCosts> probe_photos(const Context& context, std::span<const Sample> samples, const Preprocess& preprocess,
                                const TrainOptions& options, int epochs, bool drawn_only) {
  PhotoCosts costs;
  std::atomic<int> readable = 0;
  Decoder decoder(shorter_side_needed(preprocess));
  const auto decode = [&](const fs::path& path) { readable += decoder.load(path).ok() ? 1 : 0; };
  const Cost first = cost_of_each(context, samples, decode);
  if (context.stop_requested()) return fail(Error::Kind::kCancelled, "stopped on request");
  if (readable == 0) {
    const auto one = decoder.load(samples[0].path);
    return fail(Error::Kind::kFormat, "none of {} photos that were tried can be read, such as {}: {}", samples.size(),
                samples[0].path.string(), one ? "changed meanwhile" : one.error().message);
  }
  costs.decode = cost_of_each(context, samples, decode);
  costs.disk = beyond(first, costs.decode);
  costs.compare = cost_of_each(context, samples, [](const fs::path& path) { (void)fingerprint_of(path); });

  const ScratchFolder scratch = ScratchFolder::make();
  const auto cache = PhotoCache::open("plan", CachedForm::working(preprocess), scratch.cache_options());
  LoaderOptions loading;
  loading.batch = training::tuning_batch_of(options, static_cast<std::int64_t>(samples.size()));
  loading.preprocess = preprocess;
  loading.augment = training::policy_of(options, training::planned_augment_of(options, epochs).level);
  loading.classes = 1;
  loading.draw_only = drawn_only;
  std::vector<Sample> unlabelled(samples.begin(), samples.end());
  for (Sample& sample : unlabelled) sample.labels.clear();
  FOVEA_ASSIGN(const Cost filling, cost_of_epoch(context, unlabelled, *cache, loading, 0));
  FOVEA_ASSIGN(costs.vary, cost_of_epoch(context, unlabelled, *cache, loading, 1));
  costs.cache_fill = beyond(filling, costs.vary);
  loading.preprocess.height = std::min(preprocess.height, training::kTrialSide);
  loading.preprocess.width = std::min(preprocess.width, training::kTrialSide);
  FOVEA_ASSIGN(costs.vary_small, cost_of_epoch(context, unlabelled, *cache, loading, 1));
  return costs;
}

}  // namespace fovea::estimate
