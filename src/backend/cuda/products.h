// Fovea: matrix products, the one thing that is left to a library.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "backend/cuda/stream.h"
#include "fovea/result.h"

namespace fovea::cuda {

enum class Number : std::uint8_t { kF32, kBF16 };

/// c (m,n) = a (m,k) b (k,n) [+ bias (n)] [+ addend (m,n)]; all of them row-major, rows `stride` elements apart. Transposed
/// operands are stored as (k,m) and (n,k). Sums are of 32 bits.
struct ProductShape {
  std::int64_t m = 0, n = 0, k = 0;
  bool a_transposed = false, b_transposed = false;
  std::int64_t a_stride = 0, b_stride = 0, c_stride = 0;
  Number operands = Number::kF32;
  Number result = Number::kF32;  ///< an addend is of the same kind
  bool bias = false;             ///< 32-bit floats; only with a result of them
};

/// A product made ready.
class Product {
 public:
  Product() = default;
  Product(const Product&) = delete;
  Product& operator=(const Product&) = delete;
  virtual ~Product() = default;
  /// `bias` is null if the shape has none. `addend` may be null, or c.
  virtual void run(Stream stream, const void* a, const void* b, const float* bias, const void* addend, void* c) const = 0;
};

class Products {
 public:
  Products() = default;
  Products(const Products&) = delete;
  Products& operator=(const Products&) = delete;
  virtual ~Products() = default;
  /// kUnsupported where the library has none of this shape.
  virtual Result<std::unique_ptr<Product>> prepare(const ProductShape& shape) = 0;
};

}  // namespace fovea::cuda
