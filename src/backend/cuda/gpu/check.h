// Fovea: what CUDA's libraries answer, turned into DeviceFailures in one place; and the one owner of what they hand out.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cublasLt.h>
#include <cuda_runtime_api.h>

#include <utility>

namespace fovea::cuda {

/// Throws unless all is well; `what` was asked for.
void check(cudaError_t code, const char* what);
void check(cublasStatus_t code, const char* what);

/// Owns a handle that `kDestroy` ends.
template <class T, auto kDestroy>
class Handle {
 public:
  Handle() = default;
  Handle(Handle&& other) noexcept : handle_(std::exchange(other.handle_, T{})) {}
  Handle& operator=(Handle&& other) noexcept { return std::swap(handle_, other.handle_), *this; }
  ~Handle() {
    if (handle_ != T{}) (void)kDestroy(handle_);
  }
  [[nodiscard]] T get() const { return handle_; }
  /// For the function that makes it.
  [[nodiscard]] T* out() { return &handle_; }

 private:
  T handle_{};
};

using StreamHandle = Handle<cudaStream_t, cudaStreamDestroy>;
using EventHandle = Handle<cudaEvent_t, cudaEventDestroy>;
using GraphHandle = Handle<cudaGraph_t, cudaGraphDestroy>;
using RunnableGraphHandle = Handle<cudaGraphExec_t, cudaGraphExecDestroy>;
using BlasHandle = Handle<cublasLtHandle_t, cublasLtDestroy>;
using ProductDescription = Handle<cublasLtMatmulDesc_t, cublasLtMatmulDescDestroy>;
using MatrixLayout = Handle<cublasLtMatrixLayout_t, cublasLtMatrixLayoutDestroy>;
using ProductPreference = Handle<cublasLtMatmulPreference_t, cublasLtMatmulPreferenceDestroy>;

}  // namespace fovea::cuda
