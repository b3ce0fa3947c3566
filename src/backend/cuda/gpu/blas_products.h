// Fovea: matrix products by cuBLASLt.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "backend/cuda/gpu/check.h"
#include "backend/cuda/products.h"
#include "backend/memory.h"

namespace fovea::cuda {

/// All products share one workspace, which one stream can do.
class BlasProducts final : public Products {
 public:
  explicit BlasProducts(std::shared_ptr<Memory> memory);
  Result<std::unique_ptr<Product>> prepare(const ProductShape& shape) override;

 private:
  BlasHandle handle_;
  DeviceBuffer workspace_;
};

}  // namespace fovea::cuda
