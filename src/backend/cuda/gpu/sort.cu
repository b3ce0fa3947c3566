// SPDX-License-Identifier: Apache-2.0
#include <cuda_runtime.h>

#include <algorithm>
#include <cub/device/device_radix_sort.cuh>
#include <string>
#include <utility>

#include "backend/cuda/gpu/sort.h"
#include "core/device_failure.h"

namespace fovea::cuda {
namespace {

void check(cudaError_t status, const char* what) {
  if (status == cudaSuccess) return;
  const auto kind = status == cudaErrorMemoryAllocation ? DeviceFailure::Kind::kOutOfMemory : DeviceFailure::Kind::kLost;
  cudaGetLastError();  // what was told need not be told again
  throw DeviceFailure(kind, std::string(what) + ": " + cudaGetErrorString(status));
}

/// Bytes of GPU memory.
class Bytes {
 public:
  explicit Bytes(std::size_t size) { check(cudaMalloc(&data_, std::max<std::size_t>(1, size)), "memory of the GPU"); }
  Bytes(const Bytes&) = delete;
  Bytes& operator=(const Bytes&) = delete;
  ~Bytes() { cudaFree(data_); }
  [[nodiscard]] void* data() const { return data_; }
  [[nodiscard]] std::uint32_t* numbers() const { return static_cast<std::uint32_t*>(data_); }

 private:
  void* data_ = nullptr;
};

/// Milliseconds between two places of a stream.
class Timer {
 public:
  Timer() {
    check(cudaEventCreate(&begin_), "an event");
    check(cudaEventCreate(&end_), "an event");
  }
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  ~Timer() {
    cudaEventDestroy(begin_);
    cudaEventDestroy(end_);
  }
  template <class Body>
  double time(const Body& body) {
    check(cudaEventRecord(begin_), "an event");
    body();
    check(cudaEventRecord(end_), "an event");
    check(cudaEventSynchronize(end_), "the GPU");
    float milliseconds = 0;
    check(cudaEventElapsedTime(&milliseconds, begin_, end_), "an event");
    return milliseconds;
  }

 private:
  cudaEvent_t begin_ = nullptr;
  cudaEvent_t end_ = nullptr;
};

void keep_least(double& least, double value, bool first) { least = first ? value : std::min(least, value); }

}  // namespace

GpuSortTimes sort_on_gpu(int device, std::span<std::uint32_t> numbers, int runs) {
  check(cudaSetDevice(device), "the GPU");
  const std::size_t bytes = numbers.size_bytes();
  const Bytes given(bytes);  // as they came, for every run
  const Bytes first(bytes);
  const Bytes second(bytes);
  cub::DoubleBuffer<std::uint32_t> keys(first.numbers(), second.numbers());
  std::size_t scratch_bytes = 0;
  check(cub::DeviceRadixSort::SortKeys(nullptr, scratch_bytes, keys, numbers.size()), "the sort");
  const Bytes scratch(scratch_bytes);

  Timer timer;
  GpuSortTimes times;
  for (int run = 0; run < std::max(1, runs); ++run) {
    const auto copied = [&](void* to, const void* from, cudaMemcpyKind kind) {
      return timer.time([&] { check(cudaMemcpyAsync(to, from, bytes, kind), "a copy"); });
    };
    if (run == 0) times.upload_ms = copied(given.data(), numbers.data(), cudaMemcpyHostToDevice);
    const double copy_ms = copied(first.data(), given.data(), cudaMemcpyDeviceToDevice);
    times.copy_gb_s = std::max(times.copy_gb_s, 2e-6 * static_cast<double>(bytes) / copy_ms);
    keys = cub::DoubleBuffer<std::uint32_t>(first.numbers(), second.numbers());
    keep_least(times.sort_ms, timer.time([&] {
      check(cub::DeviceRadixSort::SortKeys(scratch.data(), scratch_bytes, keys, numbers.size()), "the sort");
    }),
               run == 0);
  }
  times.download_ms =
      timer.time([&] { check(cudaMemcpyAsync(numbers.data(), keys.Current(), bytes, cudaMemcpyDeviceToHost), "a copy"); });
  return times;
}

}  // namespace fovea::cuda
