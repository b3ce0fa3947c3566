// Fovea: elementwise kernels over numbers that are kept as bf16: computed as floats, each result rounded once. An output may be
// an input. To be called where a unit for bf16 is available.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "backend/cpu/kernels/bf16/round.h"
#include "graph/activation.h"

namespace fovea::cpu::bf16 {

/// y = activation(x)
void activate(graph::Activation activation, const Bf16* x, Bf16* y, std::int64_t count);
/// dx = dy activation'(saved), `saved` being the activation's output for relu and relu6, its input for silu.
void activate_backward(graph::Activation activation, const Bf16* saved, const Bf16* dy, Bf16* dx, std::int64_t count);
/// y = silu(x), slope = silu'(x)
void silu_with_slope(const Bf16* x, Bf16* y, Bf16* slope, std::int64_t count);
/// y = a b
void multiply(const Bf16* a, const Bf16* b, Bf16* y, std::int64_t count);
/// y = a + b
void add(const Bf16* a, const Bf16* b, Bf16* y, std::int64_t count);

}  // namespace fovea::cpu::bf16
