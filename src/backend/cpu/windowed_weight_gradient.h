// Fovea: the gradient of the weights of a convolution with a real window, by own kernels, in fp32.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "backend/cpu/setup.h"

namespace fovea::cpu {

[[nodiscard]] KernelResult prepare_windowed_weight_gradient(const Setup& setup, const graph::Conv2dBackwardWeight& op);

}  // namespace fovea::cpu
