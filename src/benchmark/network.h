// Fovea: which networks are measured, and how their figures add up.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "benchmark/settings.h"
#include "model/network.h"
#include "runtime/parameters.h"

namespace fovea::benchmark {

struct MeasuredNetwork {
  std::string name;
  NetworkSpec spec;
  ParameterSet parameters;
};
/// The networks that the options name, at the size they say, with random weights; or the model. `alone`: only networks by name.
Result<std::vector<MeasuredNetwork>> networks_of(const NetworkBenchOptions& options);

/// Batch sizes; kUsage for one below 1.
Result<std::vector<int>> batches_of(const NetworkBenchOptions& options, const std::vector<int>& usual);

/// Arithmetic of the products in a batch: forward, and with `training` backward too; what is computed twice counts once.
Result<double> arithmetic_of(const NetworkSpec& spec, int batch, bool training);

/// Figures from the seconds that each batch took.
[[nodiscard]] NetworkRate rate_of(const MeasuredNetwork& network, int batch, int threads, std::span<const double> seconds,
                                  double flops, MachineRates& machine);

}  // namespace fovea::benchmark
