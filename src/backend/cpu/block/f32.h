// Fovea: the inverted residual block in 32-bit floats.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "backend/cpu/block/geometry.h"

namespace fovea::cpu::block {

KernelResult prepare_f32(const Setup& setup, const graph::InvertedResidual& op);
KernelResult prepare_f32(const Setup& setup, const graph::InvertedResidualBackward& op);

}  // namespace fovea::cpu::block
