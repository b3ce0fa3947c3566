// Fovea: definitions that are made of other definitions.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>

#include "backend/reference/definition.h"

namespace fovea::reference {

/// Computes `out` from `in` by another op's definition.
template <class Real, std::size_t kInputs, std::size_t kOutputs>
void compute(const graph::Op& op, const std::array<Tensor<const Real>, kInputs>& in,
             const std::array<Tensor<Real>, kOutputs>& out) {
  evaluate(op, Operands<Real>{in, out, {}});
}

[[nodiscard]] inline Shape with_channels(const Shape& shape, std::int64_t channels) {
  return {shape[0], shape[1], shape[2], channels};
}

}  // namespace fovea::reference
