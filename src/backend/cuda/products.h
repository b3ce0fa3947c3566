// Fovea: matrix products, the one thing that is left to a library.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "backend/cuda/kernels/product.h"
#include "fovea/result.h"

namespace fovea::cuda {

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
