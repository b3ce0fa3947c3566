// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include "benchmark/network.h"
#include "core/error.h"
#include "estimate/same_batch.h"
#include "hardware/rates.h"
#include "runtime/device.h"
#include "train/fine_tuner.h"
#include "train/precision.h"
#include "train/run_setup.h"

namespace fovea {
namespace {

using namespace benchmark;

constexpr int kLeastSteps = 3;

/// What a step takes with this batch and so many threads; the first one touches all memory and is not counted.
Result<std::vector<double>> times_of(const Context& context, const Backend& backend, const MeasuredNetwork& network, int batch,
                                     training::FineTuneOptions options, double seconds) {
  FOVEA_ASSIGN(ParameterSet own, training::copy_parameters(network.spec, network.parameters));
  options.batch = batch;
  options.schedule = {.peak = 1e-6, .steps = 1000, .warmup = 1};
  options.ema_decay = 0.9;
  FOVEA_ASSIGN(auto tuner, training::FineTuner::create(context, backend, network.spec, own, options));
  estimate::SameBatch source(network.spec, batch);
  source.give(1 << 20, batch);
  std::vector<double> times;
  double begin = 0;
  double last = 0;
  const auto on_step = [&](const training::EpochResult& so_far) -> Result<bool> {
    const double now = hardware::steady_seconds();
    if (so_far.batches == 1) {
      begin = now;
    } else {
      times.push_back(now - last);
    }
    last = now;
    return now - begin < seconds || static_cast<int>(times.size()) < kLeastSteps;
  };
  FOVEA_TRY(tuner.run_epoch(source, 0, on_step));
  if (context.stop_requested()) return fail(Error::Kind::kCancelled, "stopped on request");
  return times;
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
  const bool bf16 = tuning.precision == graph::Precision::kBF16 && !options.live_norm;
  MachineRates machine;
  std::vector<NetworkRate> rates;
  for (const MeasuredNetwork& network : networks) {
    for (const int batch : batches) {
      FOVEA_ASSIGN(const double flops, arithmetic_of(network.spec, batch, true));
      for (const int count : threads) {
        static_cast<void>(machine.gemm_gflops(count));  // before, so that its matrices are not in the peak
        PeakMemory::begin();
        FOVEA_ASSIGN(const auto times, times_of(context_of(options.settings, count), *device.backend, network, batch, tuning,
                                                options.settings.seconds));
        rates.push_back(rate_of(network, batch, count, times, flops, machine));
        if (bf16) rates.back().precision = "bf16";
        if (on_rate) on_rate(rates.back());
      }
    }
  }
  return rates;
}

}  // namespace fovea
