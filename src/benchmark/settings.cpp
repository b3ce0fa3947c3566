// SPDX-License-Identifier: Apache-2.0
#include "benchmark/settings.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <string>

#include "core/error.h"
#include "hardware/rates.h"

namespace fovea::benchmark {

Result<std::vector<int>> threads_of(const BenchSettings& settings) {
  if (!(settings.seconds > 0)) return fail(Error::Kind::kUsage, "{} s for each row: expected more than 0", settings.seconds);
  std::vector<int> threads = settings.threads;
  if (threads.empty()) threads = {1, available_processors()};
  for (const int count : threads) {
    if (count < 1) return fail(Error::Kind::kUsage, "{} threads: expected 1 or more", count);
  }
  std::ranges::sort(threads);
  const auto repeated = std::ranges::unique(threads);
  threads.erase(repeated.begin(), repeated.end());
  return threads;
}

Context context_of(const BenchSettings& settings, int threads) {
  Context context;
  context.threads = threads;
  context.stop = settings.stop;
  return context;
}

Result<std::vector<double>> time_runs(const Context& context, double seconds, int least,
                                      const std::function<Result<void>()>& body) {
  FOVEA_TRY(body());  // touches all memory
  std::vector<double> times;
  const double begin = hardware::steady_seconds();
  double last = begin;
  while (last - begin < seconds || static_cast<int>(times.size()) < least) {
    if (context.stop_requested()) return fail(Error::Kind::kCancelled, "stopped on request");
    FOVEA_TRY(body());
    const double now = hardware::steady_seconds();
    times.push_back(now - last);
    last = now;
  }
  return times;
}

double quantile(std::span<const double> values, double share) {
  std::vector<double> sorted(values.begin(), values.end());
  std::ranges::sort(sorted);
  const double place = share * static_cast<double>(sorted.size() - 1);
  const auto low = static_cast<std::size_t>(place);
  const std::size_t high = std::min(low + 1, sorted.size() - 1);
  return std::lerp(sorted[low], sorted[high], place - static_cast<double>(low));
}

// Linux sets the high-water mark back to what is held now.
void PeakMemory::begin() { std::ofstream("/proc/self/clear_refs") << "5"; }

std::int64_t PeakMemory::bytes() {
  constexpr std::string_view kName = "VmHWM:";
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(kName)) return std::strtoll(line.c_str() + kName.size(), nullptr, 10) * 1024;
  }
  return 0;
}

double MachineRates::gemm_gflops(int threads) {
  const auto found = gemm_.find(threads);
  return found != gemm_.end() ? found->second : gemm_[threads] = hardware::gemm_rate(threads);
}

}  // namespace fovea::benchmark
