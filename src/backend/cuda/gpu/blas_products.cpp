// SPDX-License-Identifier: Apache-2.0
//
// cuBLASLt counts columns first: a row-major matrix is its transposed one, so c' = b' a' is asked for.
#include "backend/cuda/gpu/blas_products.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "backend/cuda/kernels/elementwise.h"
#include "core/buffer.h"

namespace fovea::cuda {
namespace {

constexpr std::size_t kWorkspace = std::size_t{32} << 20;  // what NVIDIA advises for its newest GPUs

cudaDataType_t type_of(Number number) {
  if (number == Number::kFP16) return CUDA_R_16F;
  return number == Number::kBF16 ? CUDA_R_16BF : CUDA_R_32F;
}
std::int64_t size_of(Number number) { return number == Number::kBF16 || number == Number::kFP16 ? 2 : 4; }
/// Floats are multiplied as floats unless fewer bits of them are asked for.
cublasComputeType_t compute_of(Number operands) {
  return operands == Number::kTF32 ? CUBLAS_COMPUTE_32F_FAST_TF32 : CUBLAS_COMPUTE_32F;
}

/// What every row of a matrix is aligned to, and every chunk of it.
std::uint32_t alignment_of(std::int64_t stride, Number number) {
  const auto bytes = static_cast<std::uint64_t>(stride * size_of(number));
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(kAlignment, bytes & (~bytes + 1)));
}

template <class T>
void set(const ProductDescription& description, cublasLtMatmulDescAttributes_t name, const T& value) {
  check(cublasLtMatmulDescSetAttribute(description.get(), name, &value, sizeof value), "describing a product");
}

template <class T>
void set(const ProductPreference& preference, cublasLtMatmulPreferenceAttributes_t name, const T& value) {
  check(cublasLtMatmulPreferenceSetAttribute(preference.get(), name, &value, sizeof value), "choosing a product");
}

MatrixLayout layout(Number number, std::int64_t rows, std::int64_t columns, std::int64_t stride) {
  MatrixLayout made;
  check(cublasLtMatrixLayoutCreate(made.out(), type_of(number), static_cast<std::uint64_t>(rows),
                                   static_cast<std::uint64_t>(columns), stride),
        "describing a matrix");
  return made;
}

class BlasProduct final : public Product {
 public:
  BlasProduct(cublasLtHandle_t handle, std::byte* workspace, const ProductShape& s)
      : handle_(handle),
        workspace_(workspace),
        bias_(s.bias ? Bias::kByLibrary : Bias::kNone),
        rows_(s.m),
        columns_(static_cast<int>(s.n)),
        first_(s.b_transposed ? layout(s.operands, s.k, s.n, s.b_stride) : layout(s.operands, s.n, s.k, s.b_stride)),
        second_(s.a_transposed ? layout(s.operands, s.m, s.k, s.a_stride) : layout(s.operands, s.k, s.m, s.a_stride)),
        result_(layout(s.result, s.n, s.m, s.c_stride)) {
    check(cublasLtMatmulDescCreate(description_.out(), compute_of(s.operands), CUDA_R_32F), "describing a product");
    set(description_, CUBLASLT_MATMUL_DESC_TRANSA, s.b_transposed ? CUBLAS_OP_T : CUBLAS_OP_N);
    set(description_, CUBLASLT_MATMUL_DESC_TRANSB, s.a_transposed ? CUBLAS_OP_T : CUBLAS_OP_N);
    if (s.bias)
      set_bias(reinterpret_cast<const float*>(workspace));  // any address that is not null: the right one comes with each run
  }

  /// Lets the library choose by its rules, which do not measure: the same choice, so the same bits, every time.
  /// False where it has no such product.
  bool choose(const ProductShape& s) {
    if (s.bias) {
      set(description_, CUBLASLT_MATMUL_DESC_EPILOGUE, CUBLASLT_EPILOGUE_BIAS);
      if (find(s)) return true;
      set(description_, CUBLASLT_MATMUL_DESC_EPILOGUE, CUBLASLT_EPILOGUE_DEFAULT);
      bias_ = Bias::kAfterwards;
    }
    return find(s);
  }

  void run(Stream stream, const void* a, const void* b, const float* bias, const void* addend, void* c) const override {
    const float one = 1.0F, beta = addend == nullptr ? 0.0F : 1.0F;
    if (bias_ == Bias::kByLibrary) set_bias(bias);
    check(cublasLtMatmul(handle_, description_.get(), &one, b, first_.get(), a, second_.get(), &beta,
                         addend == nullptr ? c : addend, result_.get(), c, result_.get(), &algorithm_, workspace_, kWorkspace,
                         stream),
          "a product");
    if (bias_ == Bias::kAfterwards) finish(stream, bias, static_cast<float*>(c));
  }

 private:
  enum class Bias { kNone, kByLibrary, kAfterwards };

  void finish(Stream stream, const float* bias, float* c) const {
    add_bias(stream, c, bias, c, rows_, columns_, Activation::kNone);
  }

  bool find(const ProductShape& s) {
    ProductPreference preference;
    check(cublasLtMatmulPreferenceCreate(preference.out()), "choosing a product");
    set(preference, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, kWorkspace);
    // Partial sums are added in an order of their own only in place; and of 16 bits, as the result is, they would not be sums
    // of 32.
    const std::uint32_t reductions = size_of(s.result) == sizeof(float)
                                         ? CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE | CUBLASLT_REDUCTION_SCHEME_OUTPUT_TYPE
                                         : CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE;
    set(preference, CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK, reductions);
    set(preference, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, alignment_of(s.b_stride, s.operands));
    set(preference, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES, alignment_of(s.a_stride, s.operands));
    set(preference, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, alignment_of(s.c_stride, s.result));
    set(preference, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES, alignment_of(s.c_stride, s.result));
    cublasLtMatmulHeuristicResult_t found{};
    int count = 0;
    const cublasStatus_t status =
        cublasLtMatmulAlgoGetHeuristic(handle_, description_.get(), first_.get(), second_.get(), result_.get(), result_.get(),
                                       preference.get(), 1, &found, &count);
    if (status == CUBLAS_STATUS_NOT_SUPPORTED || (status == CUBLAS_STATUS_SUCCESS && count == 0)) {
      return false;
    }
    check(status, "choosing a product");
    algorithm_ = found.algo;
    return found.state == CUBLAS_STATUS_SUCCESS;
  }

  void set_bias(const float* bias) const { set(description_, CUBLASLT_MATMUL_DESC_BIAS_POINTER, bias); }

  cublasLtHandle_t handle_;
  std::byte* workspace_;
  Bias bias_;
  std::int64_t rows_;
  int columns_;
  MatrixLayout first_, second_, result_;
  ProductDescription description_;
  cublasLtMatmulAlgo_t algorithm_{};
};

/// What the library does not have: odd sizes of 16-bit numbers.
class PlainProduct final : public Product {
 public:
  explicit PlainProduct(const ProductShape& shape) : shape_(shape) {}
  void run(Stream stream, const void* a, const void* b, const float* bias, const void* addend, void* c) const override {
    plain_product(stream, shape_, a, b, bias, addend, c);
  }

 private:
  ProductShape shape_;
};

}  // namespace

BlasProducts::BlasProducts(std::shared_ptr<Memory> memory) : workspace_(std::move(memory), kWorkspace) {
  check(cublasLtCreate(handle_.out()), "starting cuBLASLt");
}

Result<std::unique_ptr<Product>> BlasProducts::prepare(const ProductShape& shape) {
  auto made = std::make_unique<BlasProduct>(handle_.get(), workspace_.data(), shape);
  if (made->choose(shape)) return std::unique_ptr<Product>(std::move(made));
  return std::unique_ptr<Product>(std::make_unique<PlainProduct>(shape));
}

}  // namespace fovea::cuda
