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

/// body(null pointer to what a number is stored as).
template <class Body>
void with_type(Number number, const Body& body) {
  switch (number) {
    case Number::kF32: return body(static_cast<const float*>(nullptr));
    case Number::kTF32: return body(static_cast<const Tf32*>(nullptr));
    case Number::kBF16: return body(static_cast<const Bf16*>(nullptr));
    case Number::kFP16: return body(static_cast<const Fp16*>(nullptr));
  }
}

}  // namespace

void plain_product(Stream stream, const ProductShape& s, const void* a, const void* b, const float* bias, const void* addend,
                   void* c) {
  with_type(s.operands, [&]<class T>(const T*) {
    with_type(s.result, [&]<class R>(const R*) {
      compute(stream, s, static_cast<const T*>(a), static_cast<const T*>(b), bias, static_cast<const R*>(addend),
              static_cast<R*>(c));
    });
  });
}

}  // namespace fovea::cuda
