// Fovea: dense convolutions, linear layers and their gradients by the input, by own kernels: nothing is compiled at run time,
// parts may be as small as a few rows or columns of one photo, and how the work is parted does not show in the bits. For use
// everywhere, in training where Products says so. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "backend/cpu/setup.h"

namespace fovea::cpu {

[[nodiscard]] KernelResult prepare_dense(const Setup& setup, const graph::Conv2d& op);
[[nodiscard]] KernelResult prepare_dense(const Setup& setup, const graph::Conv2dBackwardInput& op);
[[nodiscard]] KernelResult prepare_dense(const Setup& setup, const graph::Linear& op);
[[nodiscard]] KernelResult prepare_dense(const Setup& setup, const graph::LinearBackwardInput& op);

}  // namespace fovea::cpu
