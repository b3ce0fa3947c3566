// Fovea: gradients of the weights of convolutions and linear layers by own kernels, in fp32.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "backend/cpu/setup.h"

namespace fovea::cpu {

[[nodiscard]] KernelResult prepare_weight_gradient(const Setup& setup, const graph::Conv2dBackwardWeight& op);
[[nodiscard]] KernelResult prepare_weight_gradient(const Setup& setup, const graph::LinearBackwardWeight& op);

/// Whether dw (K,C) of a pointwise convolution over `rows` positions is best made of partial sums over parts of the positions.
[[nodiscard]] bool goes_by_positions(std::int64_t rows, std::int64_t k, std::int64_t c);
/// And made so: x and dy are read once, for db too.
[[nodiscard]] KernelResult prepare_weight_gradient_by_positions(const Setup& setup);

}  // namespace fovea::cpu
