// Fovea: the product of two row-major matrices, with the same bits for any number of threads.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>

#include "core/context.h"

namespace fovea::training {

/// Columns of the right factor and of the product come in multiples of this: the widest vector of floats.
inline constexpr std::int64_t kColumnMultiple = 16;

[[nodiscard]] constexpr std::int64_t padded_columns(std::int64_t columns) {
  return (columns + kColumnMultiple - 1) / kColumnMultiple * kColumnMultiple;
}

struct ProductShape {
  std::int64_t rows = 0;     ///< of the product
  std::int64_t columns = 0;  ///< of the product; a multiple of kColumnMultiple
  std::int64_t inner = 0;
};

/// c (rows, columns) = a (rows, inner) b (inner, columns).
void multiply(const Context& context, const ProductShape& shape, std::span<const float> a, std::span<const float> b,
              std::span<float> c);

/// c (rows, columns) = a' b with a (inner, rows), b (inner, columns).
void multiply_transposed(const Context& context, const ProductShape& shape, std::span<const float> a, std::span<const float> b,
                         std::span<float> c);

}  // namespace fovea::training
