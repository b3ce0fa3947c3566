// Fovea: operands of products, rounded as an op asks for.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "backend/reference/bf16.h"
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
  const int bits = precision == graph::Precision::kBF16 ? kBitsOfBf16 : kBitsOfTf32;
  for (std::int64_t i = 0; i < x.size(); ++i) made.out()[i] = precision == graph::Precision::kF32 ? x[i] : round_to(x[i], bits);
  return made;
}

}  // namespace fovea::reference
