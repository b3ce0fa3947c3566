// SPDX-License-Identifier: Apache-2.0
#include <memory>
#include <numeric>
#include <utility>

#include "benchmark/network.h"
#include "core/error.h"
#include "data/cache.h"
#include "data/dataset.h"
#include "estimate/probe.h"
#include "estimate/roofline.h"
#include "estimate/same_batch.h"
#include "hardware/rates.h"
#include "model/registry.h"
#include "runtime/device.h"
#include "train/device_batches.h"
#include "train/fine_tuner.h"
#include "train/precision.h"
#include "train/recipe.h"
#include "train/run_setup.h"

namespace fovea {
namespace {

using namespace benchmark;

constexpr int kLeastSteps = 3;

/// Photos of a data set, all of them from the cache.
struct Photos {
  Dataset data;
  std::unique_ptr<PhotoCache> cache;
  std::unique_ptr<training::BatchSource> batches;
};

Result<Photos> photos_for(const Context& context, const Backend& backend, const NetworkBenchOptions& options,
                          const MeasuredNetwork& network, int batch) {
  constexpr std::size_t kMostBatches = 20;
  Photos photos;
  FOVEA_ASSIGN(photos.data, scan_dataset(options.data));
  photos.data.train = estimate::spread_samples(photos.data.train, kMostBatches * static_cast<std::size_t>(batch));
  FOVEA_ASSIGN(const Architecture known, find_architecture(network.name));
  LoaderOptions loading;
  loading.batch = batch;
  loading.order = LoaderOptions::Order::kShuffled;
  loading.preprocess = known.preprocess;
  loading.preprocess.height = network.spec.height;
  loading.preprocess.width = network.spec.width;
  loading.augment = training::policy_of({}, AugmentLevel::kStandard);
  loading.classes = network.spec.classes;
  photos.cache = PhotoCache::open(options.data, CachedForm::working(loading.preprocess));
  FOVEA_ASSIGN(photos.batches, training::make_photo_batches(context, backend, photos.data.train, *photos.cache, loading));
  FOVEA_ASSIGN(const auto loader, BatchLoader::create(context, photos.data.train, *photos.cache, loading));
  loader->start_epoch(0);
  Batch filled;
  for (bool more = true; more;) {
    FOVEA_ASSIGN(more, loader->next(filled));
  }
  return photos;
}

struct Steps {
  std::vector<double> seconds;  ///< of each
  double bytes = 0;             ///< that the ops of a step read and write
  double waited = 0;            ///< seconds of them all
};

/// Bytes of a step; what is inside of blocks that are one op does not count.
double traffic_of(const training::FineTuner& tuner, int batch) {
  double bytes = 0;
  for (const graph::Node& node : tuner.graph().nodes()) bytes += estimate::work_of(tuner.graph(), node).bytes;
  return bytes * batch / tuner.rows_at_once();
}

/// What a step takes with this batch and so many threads; the first one touches all memory and is not counted.
Result<Steps> times_of(const Context& context, const Backend& backend, const MeasuredNetwork& network, int batch,
                       const NetworkBenchOptions& bench, training::FineTuneOptions options) {
  const double seconds = bench.settings.seconds;
  FOVEA_ASSIGN(ParameterSet own, training::copy_parameters(network.spec, network.parameters));
  options.batch = batch;
  options.schedule = {.peak = 1e-6, .steps = 1000, .warmup = 1};
  options.ema_decay = 0.9;
  FOVEA_ASSIGN(auto tuner, training::FineTuner::create(context, backend, network.spec, own, options));
  FOVEA_ASSIGN(const auto same, estimate::SameBatch::create(backend, network.spec, batch));
  same->give(1 << 20, batch);
  Photos photos;
  if (!bench.data.empty()) {
    FOVEA_ASSIGN(photos, photos_for(context, backend, bench, network, batch));
  }
  training::BatchSource& source = photos.batches ? *photos.batches : static_cast<training::BatchSource&>(*same);
  Steps steps;
  steps.bytes = traffic_of(tuner, batch);
  std::vector<double>& times = steps.seconds;
  double begin = 0;
  double last = 0;
  double waited = 0;  // in this epoch, up to the last step
  const auto on_step = [&](const training::EpochResult& so_far) -> Result<bool> {
    const double now = hardware::steady_seconds();
    if (last > 0) {
      times.push_back(now - last);
      steps.waited += so_far.waited - waited;
    } else {
      begin = now;
    }
    last = now;
    waited = so_far.waited;
    return now - begin < seconds || static_cast<int>(times.size()) < kLeastSteps;
  };
  for (std::uint32_t epoch = 1; true; ++epoch, waited = 0) {
    FOVEA_ASSIGN(const auto result, tuner.run_epoch(source, epoch, on_step));
    if (context.stop_requested()) return fail(Error::Kind::kCancelled, "stopped on request");
    if (!result.finished) return steps;
    if (result.photos == 0) return fail(Error::Kind::kFormat, "{}: not one batch of {} photos", bench.data.string(), batch);
  }
}

}  // namespace

Result<std::vector<NetworkRate>> bench_train(const NetworkBenchOptions& options, const OnNetworkRate& on_rate) {
  if (!options.model.empty()) return fail(Error::Kind::kUsage, "a step of training is measured of a network, not of a model");
  FOVEA_ASSIGN(const std::vector<int> threads, threads_of(options.settings));
  FOVEA_ASSIGN(const std::vector<int> batches, batches_of(options, {32}));
  FOVEA_ASSIGN(const Device device, open_device(options.device));
  FOVEA_ASSIGN(const std::vector<MeasuredNetwork> networks, networks_of(options));
  training::FineTuneOptions tuning;
  tuning.norm = options.live_norm ? NormMode::kLive : NormMode::kFrozen;
  FOVEA_ASSIGN(tuning.precision, training::choose_precision(options.precision, *device.backend));
  const graph::Precisions precisions = training::precisions_of(tuning.precision, *device.backend);
  const graph::Precision precision = options.live_norm ? precisions.live_convolutions : precisions.blocks;
  MachineRates machine;
  std::vector<NetworkRate> rates;
  for (const MeasuredNetwork& network : networks) {
    for (const int batch : batches) {
      FOVEA_ASSIGN(const double flops, arithmetic_of(network.spec, batch, true));
      for (const int count : threads) {
        static_cast<void>(machine.gemm_gflops(count));  // before, so that its matrices are not in the peak
        PeakMemory::begin();
        FOVEA_ASSIGN(const auto times,
                     times_of(context_of(options.settings, count), *device.backend, network, batch, options, tuning));
        rates.push_back(rate_of(network, batch, count, times.seconds, flops, machine));
        rates.back().traffic_gb_s = times.bytes / (1e6 * rates.back().median_ms);
        if (!options.data.empty()) {
          rates.back().wait_share = times.waited / std::accumulate(times.seconds.begin(), times.seconds.end(), 0.0);
        }
        if (precision != graph::Precision::kF32) rates.back().precision = graph::name_of(precision);
        if (on_rate) on_rate(rates.back());
      }
    }
  }
  return rates;
}

}  // namespace fovea
