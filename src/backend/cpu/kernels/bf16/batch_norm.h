// Fovea: batch normalisation over rows of numbers that are kept as bf16. To be called where a unit for bf16 is available.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "backend/cpu/kernels/batch_norm.h"
#include "backend/cpu/kernels/bf16/round.h"

namespace fovea::cpu::bf16 {

[[nodiscard]] BatchNormKernels<Bf16> batch_norm_kernels();

}  // namespace fovea::cpu::bf16
