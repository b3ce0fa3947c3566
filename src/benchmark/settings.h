// Fovea: what the measurements have in common.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <vector>

#include "core/context.h"
#include "fovea/benchmark.h"

namespace fovea::benchmark {

/// In order; kUsage for a number of threads below 1 or a time that is not positive.
Result<std::vector<int>> threads_of(const BenchSettings& settings);

[[nodiscard]] Context context_of(const BenchSettings& settings, int threads);

/// Seconds that each run of `body` took, for about `seconds` and at least `least` runs; one that is not timed comes first.
/// kCancelled when the context asks for a stop.
Result<std::vector<double>> time_runs(const Context& context, double seconds, int least,
                                      const std::function<Result<void>()>& body);

/// The value below which this share of `values` lies (0.5: the median), interpolated between neighbours; values not empty.
[[nodiscard]] double quantile(std::span<const double> values, double share);

/// The most memory that the process holds from begin() on, as far as the system tells.
class PeakMemory {
 public:
  static void begin();
  /// Bytes; 0 where the system does not tell.
  [[nodiscard]] static std::int64_t bytes();
};

/// Rates of the machine by number of threads, each measured once.
class MachineRates {
 public:
  double gemm_gflops(int threads);

 private:
  std::map<int, double> gemm_;
};

}  // namespace fovea::benchmark
