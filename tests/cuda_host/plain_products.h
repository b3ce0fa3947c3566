// Fovea: matrix products by the backend's own plain kernel, where a GPU asks a library.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "backend/cuda/products.h"

namespace fovea::test {

class PlainProduct final : public cuda::Product {
 public:
  explicit PlainProduct(const cuda::ProductShape& shape) : shape_(shape) {}
  void run(cuda::Stream stream, const void* a, const void* b, const float* bias, const void* addend, void* c) const override {
    cuda::plain_product(stream, shape_, a, b, bias, addend, c);
  }

 private:
  cuda::ProductShape shape_;
};

class PlainProducts final : public cuda::Products {
 public:
  /// `asked` gets the shapes that are, if it is not null.
  explicit PlainProducts(std::vector<cuda::ProductShape>* asked) : asked_(asked) {}
  Result<std::unique_ptr<cuda::Product>> prepare(const cuda::ProductShape& shape) override {
    if (asked_ != nullptr) asked_->push_back(shape);
    return std::unique_ptr<cuda::Product>(std::make_unique<PlainProduct>(shape));
  }

 private:
  std::vector<cuda::ProductShape>* asked_;
};

}  // namespace fovea::test
