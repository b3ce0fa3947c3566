// Fovea: matrix products as three loops, where the CUDA backend asks a library.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "backend/cuda/kernels/numbers.h"
#include "backend/cuda/products.h"

namespace fovea::test {

class PlainProduct final : public cuda::Product {
 public:
  explicit PlainProduct(const cuda::ProductShape& shape) : s_(shape) {}

  void run(cuda::Stream /*stream*/, const void* a, const void* b, const float* bias, const void* addend, void* c) const override {
    for (std::int64_t i = 0; i < s_.m; ++i) {
      for (std::int64_t j = 0; j < s_.n; ++j) {
        float sum = 0.0F;
        for (std::int64_t x = 0; x < s_.k; ++x) {
          sum += read(a, s_.operands, s_.a_transposed ? x * s_.a_stride + i : i * s_.a_stride + x) *
                 read(b, s_.operands, s_.b_transposed ? j * s_.b_stride + x : x * s_.b_stride + j);
        }
        if (s_.bias) sum += bias[j];
        const std::int64_t at = i * s_.c_stride + j;
        if (addend != nullptr) sum += read(addend, s_.result, at);
        if (s_.result == cuda::Number::kF32) {
          static_cast<float*>(c)[at] = sum;
        } else {
          static_cast<cuda::Bf16*>(c)[at] = cuda::narrow<cuda::Bf16>(sum);
        }
      }
    }
  }

 private:
  static float read(const void* data, cuda::Number number, std::int64_t at) {
    return number == cuda::Number::kF32 ? static_cast<const float*>(data)[at]
                                        : cuda::widen(static_cast<const cuda::Bf16*>(data)[at]);
  }
  cuda::ProductShape s_;
};

class PlainProducts final : public cuda::Products {
 public:
  Result<std::unique_ptr<cuda::Product>> prepare(const cuda::ProductShape& shape) override {
    return std::unique_ptr<cuda::Product>(std::make_unique<PlainProduct>(shape));
  }
};

}  // namespace fovea::test
