// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <string_view>

#include "benchmark/network.h"
#include "core/error.h"
#include "model/network_runner.h"
#include "runtime/device.h"
#include "runtime/machine_tuning.h"

namespace fovea {
namespace {

using namespace benchmark;

constexpr int kLeastRuns = 5;

/// What a run takes with this batch and so many threads.
Result<std::vector<double>> times_of(const Context& context, const Backend& backend, MeasuredNetwork& network, int batch,
                                     double seconds) {
  constexpr std::array<std::string_view, 1> kOutputs{"logits"};
  FOVEA_ASSIGN(NetworkRunner runner, NetworkRunner::create(context, backend, network.spec, network.parameters, batch, kOutputs));
  for (int i = 0; i < batch; ++i) std::ranges::fill(runner.input(i), 0.1F);
  return time_runs(context, seconds, kLeastRuns, [&]() -> Result<void> {
    runner.run();
    return {};
  });
}

}  // namespace

Result<std::vector<NetworkRate>> bench_infer(const NetworkBenchOptions& options, const OnNetworkRate& on_rate) {
  FOVEA_ASSIGN(const std::vector<int> threads, threads_of(options.settings));
  FOVEA_ASSIGN(const std::vector<int> batches, batches_of(options, {1, 8, 32}));
  FOVEA_ASSIGN(const Device device, open_device(options.device));
  FOVEA_ASSIGN(std::vector<MeasuredNetwork> networks, networks_of(options));
  MachineRates machine;
  std::vector<NetworkRate> rates;
  for (MeasuredNetwork& network : networks) {
    for (const int batch : batches) {
      FOVEA_ASSIGN(const double flops, arithmetic_of(network.spec, batch, false));
      for (const int count : threads) {
        Context context = context_of(options.settings, count);
        context.tuning = machine_tuning(Tuning::Mode::kMeasure);
        static_cast<void>(machine.gemm_gflops(count));  // before, so that its matrices are not in the peak
        PeakMemory::begin();
        FOVEA_ASSIGN(const auto times, times_of(context, *device.backend, network, batch, options.settings.seconds));
        rates.push_back(rate_of(network, batch, count, times, flops, machine));
        if (on_rate) on_rate(rates.back());
      }
    }
  }
  return rates;
}

}  // namespace fovea
