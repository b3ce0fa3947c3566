// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "backend/gpu_sort.h"
#include "benchmark/settings.h"
#include "benchmark/sort_numbers.h"
#include "core/available_memory.h"
#include "core/buffer.h"
#include "core/error.h"
#include "hardware/rates.h"
#include "hardware/system_view.h"
#include "runtime/device.h"

namespace fovea {
namespace {

using namespace benchmark;

constexpr std::uint64_t kSeed = 1;
constexpr std::int64_t kNumberBytes = sizeof(std::uint32_t);

std::span<std::uint32_t> numbers_in(const Buffer& buffer) {
  return {reinterpret_cast<std::uint32_t*>(buffer.data()), buffer.size() / sizeof(std::uint32_t)};
}

Result<void> check(const SortBenchOptions& options) {
  if (options.count < 1) return fail(Error::Kind::kUsage, "{} numbers: expected 1 or more", options.count);
  const std::int64_t free = available_memory();
  const std::int64_t most = free / (2 * kNumberBytes);
  if (free > 0 && options.count > most) {
    return fail(Error::Kind::kLimit, "{} numbers take {:.1f} GB to sort and {:.1f} GB are free: expected at most {} million",
                options.count, 2e-9 * static_cast<double>(kNumberBytes) * static_cast<double>(options.count),
                1e-9 * static_cast<double>(free), most / 1'000'000);
  }
  return {};
}

/// What all numbers would take, from the time of these: a comparison sort's work grows with n log n.
double std_sort_ms(std::span<std::uint32_t> some, std::int64_t count) {
  fill_random({}, kSeed, some);
  const double begin = hardware::steady_seconds();
  std::sort(some.begin(), some.end());
  const double seconds = hardware::steady_seconds() - begin;
  const auto work = [](double n) { return n * std::log2(std::max(2.0, n)); };
  return 1e3 * seconds * work(static_cast<double>(count)) / work(static_cast<double>(some.size()));
}

Result<SortRate> measure(const SortBenchOptions& options, int threads, const Buffer& numbers, const Buffer& scratch) {
  const Context context = context_of(options.settings, threads);
  SortRate rate{.count = options.count, .threads = threads};
  rate.sorted = rate.same_numbers = true;
  double best = 0;
  double spent = 0;
  for (int run = 0; run < 2 || spent < options.settings.seconds; ++run) {
    if (context.stop_requested()) return fail(Error::Kind::kCancelled, "stopped on request");
    fill_random(context, kSeed, numbers_in(numbers));
    const Sums before = sums_of(context, numbers_in(numbers));
    const double begin = hardware::steady_seconds();
    sort_numbers(context, numbers_in(numbers), numbers_in(scratch));
    const double seconds = hardware::steady_seconds() - begin;
    rate.sorted = rate.sorted && is_ascending(context, numbers_in(numbers));
    rate.same_numbers = rate.same_numbers && sums_of(context, numbers_in(numbers)) == before;
    best = run == 0 ? seconds : std::min(best, seconds);
    spent += seconds;
  }
  rate.milliseconds = 1e3 * best;
  rate.gb_s = 2e-9 * static_cast<double>(kNumberBytes) * static_cast<double>(options.count) / best;
  return rate;
}

/// The first GPU.
Result<SortRate> measure_gpu(const SortBenchOptions& options, double std_sort, const Buffer& buffer) {
  FOVEA_TRY(check_gpu(0, hardware::this_system()));
  const Context context = context_of(options.settings, available_processors());
  if (context.stop_requested()) return fail(Error::Kind::kCancelled, "stopped on request");
  const std::span<std::uint32_t> numbers = numbers_in(buffer);
  fill_random(context, kSeed, numbers);
  const Sums before = sums_of(context, numbers);
  FOVEA_ASSIGN(const GpuSortTimes times, sort_on_gpu(0, numbers));
  SortRate rate{.device = "cuda:0", .count = options.count, .threads = 0, .milliseconds = times.sort_ms};
  rate.transfer_ms = times.upload_ms + times.download_ms;
  rate.gb_s = 2e-6 * static_cast<double>(kNumberBytes) * static_cast<double>(options.count) / times.sort_ms;
  rate.copy_gb_s = times.copy_gb_s;
  rate.std_sort_ms = std_sort;
  rate.sorted = is_ascending(context, numbers);
  rate.same_numbers = sums_of(context, numbers) == before;
  return rate;
}

}  // namespace

Result<SortBench> bench_sort(const SortBenchOptions& options, const std::function<void(const SortRate&)>& on_rate) {
  FOVEA_ASSIGN(const std::vector<int> threads, threads_of(options.settings));
  FOVEA_TRY(check(options));
  SortBench bench;
  const auto bytes = static_cast<std::size_t>(options.count * kNumberBytes);
  const Buffer numbers(bytes);
  const Buffer scratch(bytes);
  constexpr std::int64_t kForStdSort = 10'000'000;
  const auto some = static_cast<std::size_t>(std::min(options.count, kForStdSort));
  const double std_sort = std_sort_ms(numbers_in(numbers).first(some), options.count);
  for (const int count : threads) {
    FOVEA_ASSIGN(SortRate rate, measure(options, count, numbers, scratch));
    rate.copy_gb_s = hardware::copy_rate(count);
    rate.std_sort_ms = std_sort;
    bench.rates.push_back(rate);
    if (on_rate) on_rate(rate);
  }
  const auto gpu = measure_gpu(options, std_sort, numbers);
  if (!gpu && gpu.error().kind == Error::Kind::kCancelled) return gpu.error();
  if (gpu) {
    bench.rates.push_back(*gpu);
    if (on_rate) on_rate(*gpu);
  } else {
    bench.no_gpu = gpu.error().message;
  }
  return bench;
}

}  // namespace fovea
