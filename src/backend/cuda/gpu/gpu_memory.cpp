// SPDX-License-Identifier: Apache-2.0
#include "backend/cuda/gpu/gpu_memory.h"

#include <fmt/format.h>

#include "core/device_failure.h"

namespace fovea::cuda {

GpuMemory::GpuMemory(int device) : device_(device), reads_host_pages_(false) {
  make_current();
  check(cudaStreamCreateWithFlags(stream_.out(), cudaStreamNonBlocking), "making a stream");
  check(cudaStreamCreateWithFlags(side_.out(), cudaStreamNonBlocking), "making a stream");
  check(cudaEventCreateWithFlags(arrived_.out(), cudaEventDisableTiming), "making an event");
  int value = 0;
  check(cudaDeviceGetAttribute(&value, cudaDevAttrPageableMemoryAccessUsesHostPageTables, device), "asking the GPU what it is");
  reads_host_pages_ = value != 0;
}

GpuMemory::~GpuMemory() { (void)cudaSetDevice(device_); }

void GpuMemory::make_current() const { check(cudaSetDevice(device_), "choosing the GPU"); }

std::mutex* GpuMemory::turn() {
  make_current();
  return &turn_;
}

std::byte* GpuMemory::allocate(std::size_t bytes) {
  if (bytes == 0) return nullptr;
  make_current();
  void* data = nullptr;
  if (const cudaError_t code = cudaMalloc(&data, bytes); code == cudaErrorMemoryAllocation) {
    (void)cudaGetLastError();
    throw DeviceFailure(DeviceFailure::Kind::kOutOfMemory,
                        fmt::format("the GPU has {:.2f} GB of memory left, and {:.2f} GB more are needed",
                                    1e-9 * static_cast<double>(free_bytes().value_or(0)), 1e-9 * static_cast<double>(bytes)));
  } else {
    check(code, "reserving memory");
  }
  // Beside, and waited for: in stream() another thread may be recording a run, which this would become a part of.
  check(cudaMemsetAsync(data, 0, bytes, side_.get()), "clearing memory");
  check(cudaStreamSynchronize(side_.get()), "clearing memory");
  return static_cast<std::byte*>(data);
}

void GpuMemory::free(std::byte* data, std::size_t /*bytes*/) noexcept {
  (void)cudaSetDevice(device_);
  (void)cudaFree(data);  // waits for kernels that use it
}

void GpuMemory::upload(std::span<const std::byte> source, std::byte* target) { upload(source, target, stream()); }

// From memory that is not pinned, a copy returns when the driver has put the source aside, unless it need not.
void GpuMemory::upload(std::span<const std::byte> source, std::byte* target, cudaStream_t stream) {
  if (source.empty()) return;
  make_current();
  check(cudaMemcpyAsync(target, source.data(), source.size(), cudaMemcpyHostToDevice, stream), "copying to the GPU");
  if (reads_host_pages_) check(cudaStreamSynchronize(stream), "copying to the GPU");
}

// What waits for the event waits for its state of that moment, so one serves all uploads.
void GpuMemory::upload_beside(std::span<const std::byte> source, std::byte* target) {
  if (source.empty()) return;
  upload(source, target, side_.get());
  check(cudaEventRecord(arrived_.get(), side_.get()), "marking a copy");
  check(cudaStreamWaitEvent(stream(), arrived_.get(), 0), "waiting for a copy");
}

void GpuMemory::download(const std::byte* source, std::span<std::byte> target) {
  if (target.empty()) return;
  make_current();
  check(cudaMemcpyAsync(target.data(), source, target.size(), cudaMemcpyDeviceToHost, stream()), "copying from the GPU");
  check(cudaStreamSynchronize(stream()), "what the GPU was asked to compute");
}

void GpuMemory::copy(const std::byte* source, std::byte* target, std::size_t bytes) {
  if (bytes == 0) return;
  make_current();
  check(cudaMemcpyAsync(target, source, bytes, cudaMemcpyDeviceToDevice, stream()), "copying within the GPU");
}

void GpuMemory::zero(std::byte* target, std::size_t bytes) {
  if (bytes == 0) return;
  make_current();
  check(cudaMemsetAsync(target, 0, bytes, stream()), "clearing memory");
}

void GpuMemory::synchronise() {
  make_current();
  check(cudaStreamSynchronize(stream()), "what the GPU was asked to compute");
}

std::optional<std::uint64_t> GpuMemory::free_bytes() const {
  std::size_t free = 0, total = 0;
  (void)cudaSetDevice(device_);
  if (cudaMemGetInfo(&free, &total) != cudaSuccess) return std::nullopt;
  return free;
}

}  // namespace fovea::cuda
