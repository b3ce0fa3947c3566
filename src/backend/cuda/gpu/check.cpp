// SPDX-License-Identifier: Apache-2.0
#include "backend/cuda/gpu/check.h"

#include <fmt/format.h>

#include "backend/cuda/gpu/check_launch.h"
#include "core/device_failure.h"

namespace fovea::cuda {

void check(cudaError_t code, const char* what) {
  if (code == cudaSuccess) return;
  (void)cudaGetLastError();  // or the next call would meet it again
  const auto kind = code == cudaErrorMemoryAllocation ? DeviceFailure::Kind::kOutOfMemory : DeviceFailure::Kind::kLost;
  throw DeviceFailure(kind,
                      fmt::format("the GPU: {}: {} (CUDA error {})", what, cudaGetErrorString(code), static_cast<int>(code)));
}

void check(cublasStatus_t code, const char* what) {
  if (code == CUBLAS_STATUS_SUCCESS) return;
  const auto kind = code == CUBLAS_STATUS_ALLOC_FAILED ? DeviceFailure::Kind::kOutOfMemory : DeviceFailure::Kind::kLost;
  throw DeviceFailure(kind, fmt::format("the GPU: {}: cuBLASLt says {}", what, cublasLtGetStatusName(code)));
}

void check_launch() { check(cudaPeekAtLastError(), "starting a kernel"); }

}  // namespace fovea::cuda
