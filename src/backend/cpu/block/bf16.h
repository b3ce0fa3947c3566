// Fovea: the inverted residual block with bf16 operands, on the unit that multiplies them.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "backend/cpu/block/geometry.h"

namespace fovea::cpu::block {

/// Whether this processor has what it takes and `target` lets it be used.
[[nodiscard]] bool has_bf16(Target target);

KernelResult prepare_bf16(const Setup& setup, const graph::InvertedResidual& op);
KernelResult prepare_bf16(const Setup& setup, const graph::InvertedResidualBackward& op);

}  // namespace fovea::cpu::block
