// Fovea: gradients of convolutions' weights on the unit that multiplies vectors of bf16 numbers.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "backend/cpu/setup.h"

namespace fovea::cpu {

/// For an op that rounds its operands; x and dy may be kept as either type.
KernelResult prepare_weight_gradient_bf16(const Setup& setup, const graph::Conv2dBackwardWeight& op);

}  // namespace fovea::cpu
