// Fovea: operands of products, rounded as an op asks for.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "backend/reference/rounding.h"
#include "backend/reference/tensor.h"
#include "graph/ops.h"

namespace fovea::reference {

/// A tensor of a definition's own.
template <class Real>
class Own {
 public:
  explicit Own(const Shape& shape) : data_(static_cast<std::size_t>(shape.elements())), shape_(shape) {}
  [[nodiscard]] Tensor<Real> out() { return {data_.data(), shape_}; }
  [[nodiscard]] Tensor<const Real> in() const { return {data_.data(), shape_}; }

 private:
  std::vector<Real> data_;
  Shape shape_;
};

/// `x` as an operand of a product.
template <class Real>
Own<Real> operand(Tensor<const Real> x, graph::Precision precision) {
  Own<Real> made(x.shape());
  const bool rounds = precision != graph::Precision::kF32;
  for (std::int64_t i = 0; i < x.size(); ++i) made.out()[i] = rounds ? round_to(x[i], format_of(precision)) : x[i];
  return made;
}

}  // namespace fovea::reference
