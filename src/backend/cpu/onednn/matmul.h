// Fovea: products of matrices that lie anywhere in memory with any strides.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "backend/cpu/onednn/parts.h"

namespace fovea::cpu::onednn {

/// A matrix within a larger one: element (i, j) is at base[offset + i row + j column].
struct Matrix {
  std::size_t base;
  std::int64_t offset;
  std::int64_t row;
  std::int64_t column;
};

/// c (m, n) = a (m, k) b (k, n)
struct Product {
  std::int64_t m;
  std::int64_t n;
  std::int64_t k;
  Matrix a;
  Matrix b;
  Matrix c;
};

void add_product(Parts& parts, const Product& product);

}  // namespace fovea::cpu::onednn
