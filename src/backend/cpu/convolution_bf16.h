// Fovea: dense convolutions in bf16 by own kernels, on processors with AVX512_BF16, and gradients by their inputs: with silu and
// its derivative from one exponential, and what else comes after the sums, while these are still in registers.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "backend/cpu/setup.h"

namespace fovea::cpu {

/// Whether there is one for `op` on `target`.
[[nodiscard]] bool has_own_convolution_bf16(const graph::Conv2d& op, Target target);
[[nodiscard]] bool has_own_convolution_bf16(const graph::Conv2dBackwardInput& op, Target target);

KernelResult prepare_convolution_bf16(const Setup& setup, const graph::Conv2d& op);
KernelResult prepare_convolution_bf16(const Setup& setup, const graph::Conv2dBackwardInput& op);

}  // namespace fovea::cpu
