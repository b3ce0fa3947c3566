// Fovea: the CUDA backend's own kernels, run by the host as plain loops, with plain products in place of the library's.
// SPDX-License-Identifier: Apache-2.0
//
// What this proves: that every kernel's indices and arithmetic are right, that no index depends on another, that executors and
// callers keep the host's memory and a device's apart, that threads choose the device that they start kernels on, that recordings
// take a new state. What it cannot prove: that blocks synchronise, that launches stay within a GPU's limits, that the libraries
// do as asked.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "backend/backend.h"
#include "backend/cuda/kernels/host_stream.h"
#include "backend/cuda/kernels/product.h"

namespace fovea::test {

struct HostBackendOptions {
  CUstream_st::Order order = CUstream_st::Order::kForward;
  /// Small, so that small tests go through several chunks.
  std::size_t cache_bytes = std::size_t{16} << 10;
  /// Allocating more throws, as a GPU does. Lanes of several threads share it.
  std::size_t memory_bytes = ~std::size_t{0};
  /// Gets the shape of every product that is prepared.
  std::vector<cuda::ProductShape>* products = nullptr;
  /// The file that stands for nvJPEG; null: there is none.
  const char* nvjpeg = nullptr;
  /// Gets of every wait for all that was asked for, whether the turn was taken then: who has it may be recording.
  std::vector<bool>* waits = nullptr;
};

/// "cuda-host".
[[nodiscard]] std::unique_ptr<Backend> make_cuda_host_backend(const HostBackendOptions& options = {});

/// Of the registry's backends, and this one, by name.
Result<std::unique_ptr<Backend>> make_any_backend(std::string_view name);

}  // namespace fovea::test
