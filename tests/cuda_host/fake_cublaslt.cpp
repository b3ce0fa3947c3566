// SPDX-License-Identifier: Apache-2.0
#include <cublasLt.h>
#include <cuda_runtime_api.h>

#include <cstring>

#include "backend/cuda/kernels/numbers.h"
#include "cuda_host/fake_cuda.h"

namespace fovea::test {
namespace {

/// A matrix, columns first.
struct Layout {
  cudaDataType_t type;
  std::uint64_t rows, columns;
  std::int64_t stride;

  [[nodiscard]] float at(const void* data, std::uint64_t row, std::uint64_t column) const {
    const std::uint64_t i = column * static_cast<std::uint64_t>(stride) + row;
    if (type == CUDA_R_16BF) return cuda::widen(static_cast<const cuda::Bf16*>(data)[i]);
    if (type == CUDA_R_16F) return cuda::widen(static_cast<const cuda::Fp16*>(data)[i]);
    return static_cast<const float*>(data)[i];
  }
  void set(void* data, std::uint64_t row, std::uint64_t column, float value) const {
    const std::uint64_t i = column * static_cast<std::uint64_t>(stride) + row;
    if (type == CUDA_R_16BF) {
      static_cast<cuda::Bf16*>(data)[i] = cuda::narrow<cuda::Bf16>(value);
    } else if (type == CUDA_R_16F) {
      static_cast<cuda::Fp16*>(data)[i] = cuda::narrow<cuda::Fp16>(value);
    } else {
      static_cast<float*>(data)[i] = value;
    }
  }
};

struct Description {
  cublasComputeType_t compute;
  cublasOperation_t transa = CUBLAS_OP_N, transb = CUBLAS_OP_N;
  cublasLtEpilogue_t epilogue = CUBLASLT_EPILOGUE_DEFAULT;
  const float* bias = nullptr;  // of the result's type, which is float where there is one
};

struct Handle {
  int device;
};

int current_device() {
  int device = 0;
  (void)cudaGetDevice(&device);
  return device;
}

void expect_device(cublasLtHandle_t handle, const char* function) {
  if (reinterpret_cast<const Handle*>(handle)->device != current_device())
    fake_cuda().faults.push_back(std::string(function) + ": another device is current");
}

const Layout& of(cublasLtMatrixLayout_t layout) { return *reinterpret_cast<const Layout*>(layout); }
Description& of(cublasLtMatmulDesc_t description) { return *reinterpret_cast<Description*>(description); }

template <class T>
void put(T& to, const void* from, std::size_t bytes) {
  if (bytes != sizeof to) fake_cuda().faults.emplace_back("an attribute of another size");
  std::memcpy(&to, from, sizeof to);
}

/// Whether op(A) (m,k) times op(B) (k,n) is C (m,n), and the numbers go together.
bool fits(const Description& d, const Layout& a, const Layout& b, const Layout& c) {
  const auto [m, k] = d.transa == CUBLAS_OP_N ? std::pair(a.rows, a.columns) : std::pair(a.columns, a.rows);
  const auto [l, n] = d.transb == CUBLAS_OP_N ? std::pair(b.rows, b.columns) : std::pair(b.columns, b.rows);
  const bool strides = a.stride >= static_cast<std::int64_t>(a.rows) && b.stride >= static_cast<std::int64_t>(b.rows) &&
                       c.stride >= static_cast<std::int64_t>(c.rows);
  const bool numbers = a.type == b.type && (c.type == CUDA_R_32F || c.type == a.type) &&
                       (d.compute == CUBLAS_COMPUTE_32F || (d.compute == CUBLAS_COMPUTE_32F_FAST_TF32 && a.type == CUDA_R_32F));
  return m == c.rows && n == c.columns && k == l && strides && numbers;
}

}  // namespace
}  // namespace fovea::test

using namespace fovea::test;  // NOLINT(google-build-using-namespace): what follows is cuBLASLt's, in no namespace

extern "C" {

const char* cublasLtGetStatusName(cublasStatus_t /*status*/) { return "a status of the stand-in"; }
cublasStatus_t cublasLtCreate(cublasLtHandle_t* handle) {
  *handle = reinterpret_cast<cublasLtHandle_t>(new Handle{current_device()});
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtDestroy(cublasLtHandle_t handle) {
  delete reinterpret_cast<Handle*>(handle);
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatrixLayoutCreate(cublasLtMatrixLayout_t* layout, cudaDataType type, uint64_t rows, uint64_t columns,
                                          int64_t stride) {
  *layout = reinterpret_cast<cublasLtMatrixLayout_t>(new Layout{type, rows, columns, stride});
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatrixLayoutDestroy(cublasLtMatrixLayout_t layout) {
  delete reinterpret_cast<Layout*>(layout);
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatmulDescCreate(cublasLtMatmulDesc_t* description, cublasComputeType_t compute, cudaDataType_t scale) {
  if (scale != CUDA_R_32F) return CUBLAS_STATUS_NOT_SUPPORTED;
  *description = reinterpret_cast<cublasLtMatmulDesc_t>(new Description{compute});
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatmulDescDestroy(cublasLtMatmulDesc_t description) {
  delete &of(description);
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatmulDescSetAttribute(cublasLtMatmulDesc_t description, cublasLtMatmulDescAttributes_t attribute,
                                              const void* value, size_t bytes) {
  Description& d = of(description);
  switch (attribute) {
    case CUBLASLT_MATMUL_DESC_TRANSA: put(d.transa, value, bytes); break;
    case CUBLASLT_MATMUL_DESC_TRANSB: put(d.transb, value, bytes); break;
    case CUBLASLT_MATMUL_DESC_EPILOGUE: put(d.epilogue, value, bytes); break;
    case CUBLASLT_MATMUL_DESC_BIAS_POINTER: put(d.bias, value, bytes); break;
    default: return CUBLAS_STATUS_INVALID_VALUE;
  }
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatmulPreferenceCreate(cublasLtMatmulPreference_t* preference) {
  *preference = new cublasLtMatmulPreferenceOpaque_t{};
  fake_cuda().reductions = CUBLASLT_REDUCTION_SCHEME_MASK;
  fake_cuda().alignments.assign(4, 256);
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatmulPreferenceDestroy(cublasLtMatmulPreference_t preference) {
  delete preference;
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatmulPreferenceSetAttribute(cublasLtMatmulPreference_t /*preference*/,
                                                    cublasLtMatmulPreferenceAttributes_t attribute, const void* value,
                                                    size_t bytes) {
  std::uint64_t workspace = 0;
  switch (attribute) {
    case CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES: put(workspace, value, bytes); break;
    case CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK: put(fake_cuda().reductions, value, bytes); break;
    case CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES: put(fake_cuda().alignments[0], value, bytes); break;
    case CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES: put(fake_cuda().alignments[1], value, bytes); break;
    case CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES: put(fake_cuda().alignments[2], value, bytes); break;
    case CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES: put(fake_cuda().alignments[3], value, bytes); break;
    default: return CUBLAS_STATUS_INVALID_VALUE;
  }
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatmulAlgoGetHeuristic(cublasLtHandle_t handle, cublasLtMatmulDesc_t description, cublasLtMatrixLayout_t a,
                                              cublasLtMatrixLayout_t b, cublasLtMatrixLayout_t c, cublasLtMatrixLayout_t d,
                                              cublasLtMatmulPreference_t /*preference*/, int most,
                                              cublasLtMatmulHeuristicResult_t results[], int* count) {
  expect_device(handle, "cublasLtMatmulAlgoGetHeuristic");
  if (!fits(of(description), of(a), of(b), of(c)) || !fits(of(description), of(a), of(b), of(d)) || most < 1)
    return CUBLAS_STATUS_INVALID_VALUE;
  const bool biased = of(description).epilogue == CUBLASLT_EPILOGUE_BIAS;
  if (biased && (!fake_cuda().has_bias_epilogue || of(description).bias == nullptr || of(d).type != CUDA_R_32F))
    return CUBLAS_STATUS_NOT_SUPPORTED;
  results[0] = {};
  results[0].state = CUBLAS_STATUS_SUCCESS;
  *count = 1;
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatmul(cublasLtHandle_t handle, cublasLtMatmulDesc_t description, const void* alpha, const void* a,
                              cublasLtMatrixLayout_t a_layout, const void* b, cublasLtMatrixLayout_t b_layout, const void* beta,
                              const void* c, cublasLtMatrixLayout_t c_layout, void* d, cublasLtMatrixLayout_t d_layout,
                              const cublasLtMatmulAlgo_t* /*algorithm*/, void* workspace, size_t /*workspace_bytes*/,
                              cudaStream_t /*stream*/) {
  expect_device(handle, "cublasLtMatmul");
  const Description& by = of(description);
  if (!fits(by, of(a_layout), of(b_layout), of(d_layout)) || reinterpret_cast<std::uintptr_t>(workspace) % 256 != 0)
    return CUBLAS_STATUS_INVALID_VALUE;
  const float of_product = *static_cast<const float*>(alpha), of_c = *static_cast<const float*>(beta);
  const std::uint64_t k = by.transa == CUBLAS_OP_N ? of(a_layout).columns : of(a_layout).rows;
  for (std::uint64_t column = 0; column < of(d_layout).columns; ++column) {
    for (std::uint64_t row = 0; row < of(d_layout).rows; ++row) {
      float sum = 0;
      for (std::uint64_t i = 0; i < k; ++i) {
        sum += (by.transa == CUBLAS_OP_N ? of(a_layout).at(a, row, i) : of(a_layout).at(a, i, row)) *
               (by.transb == CUBLAS_OP_N ? of(b_layout).at(b, i, column) : of(b_layout).at(b, column, i));
      }
      sum *= of_product;
      if (by.epilogue == CUBLASLT_EPILOGUE_BIAS) sum += by.bias[row];
      if (of_c != 0) sum += of_c * of(c_layout).at(c, row, column);
      of(d_layout).set(d, row, column, sum);
    }
  }
  return CUBLAS_STATUS_SUCCESS;
}

}  // extern "C"
