// SPDX-License-Identifier: Apache-2.0
#include "backend/cuda/kernels/numbers.h"
#include "backend/cuda/kernels/product.h"

namespace fovea::cuda {
namespace {

template <class T, class R>
void compute(Stream stream, const ProductShape& s, const T* a, const T* b, const float* bias, const R* addend, R* c) {
  const auto columns = static_cast<int>(s.n);
  launch(stream, s.m * s.n, [=] FOVEA_KERNEL(int index) {
    const std::int64_t i = index / columns, j = index % columns;
    const T* left = s.a_transposed ? a + i : a + i * s.a_stride;
    const T* right = s.b_transposed ? b + j * s.b_stride : b + j;
    const std::int64_t left_step = s.a_transposed ? s.a_stride : 1, right_step = s.b_transposed ? 1 : s.b_stride;
    float sum = 0.0F;
    for (std::int64_t x = 0; x < s.k; ++x) sum += widen(left[x * left_step]) * widen(right[x * right_step]);
    if (bias != nullptr) sum += bias[j];
    const std::int64_t at = i * s.c_stride + j;
    c[at] = narrow<R>(addend == nullptr ? sum : sum + widen(addend[at]));
  });
}

template <class T>
void with_result(Stream stream, const ProductShape& s, const T* a, const T* b, const float* bias, const void* addend, void* c) {
  if (s.result == Number::kF32) {
    compute(stream, s, a, b, bias, static_cast<const float*>(addend), static_cast<float*>(c));
  } else {
    compute(stream, s, a, b, bias, static_cast<const Bf16*>(addend), static_cast<Bf16*>(c));
  }
}

}  // namespace

void plain_product(Stream stream, const ProductShape& s, const void* a, const void* b, const float* bias, const void* addend,
                   void* c) {
  if (s.operands == Number::kF32) {
    with_result(stream, s, static_cast<const float*>(a), static_cast<const float*>(b), bias, addend, c);
  } else {
    with_result(stream, s, static_cast<const Bf16*>(a), static_cast<const Bf16*>(b), bias, addend, c);
  }
}

}  // namespace fovea::cuda
