// Fovea: a matrix product without a library: what every product means, and what computes the few that the library has not.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "backend/cuda/kernels/numbers.h"

namespace fovea::cuda {

/// c (m,n) = a (m,k) b (k,n) [+ bias (n)] [+ addend (m,n)]; all of them row-major, rows `stride` elements apart. Transposed
/// operands are stored as (k,m) and (n,k). Sums are of 32 bits. Operands
/// that are kTF32 are rounded already.
struct ProductShape {
  std::int64_t m = 0, n = 0, k = 0;
  bool a_transposed = false, b_transposed = false;
  std::int64_t a_stride = 0, b_stride = 0, c_stride = 0;
  Number operands = Number::kF32;
  Number result = Number::kF32;  ///< an addend is of the same kind
  bool bias = false;             ///< 32-bit floats; only with a result of them
};

/// A thread for each element of c. `bias` and `addend` may be null; `addend` may be c.
void plain_product(Stream stream, const ProductShape& shape, const void* a, const void* b, const float* bias, const void* addend,
                   void* c);

}  // namespace fovea::cuda
