// Fovea: floats to bf16.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace fovea::cpu::bf16 {

using Bf16 = std::uint16_t;

/// To the nearest, ties to even; where a unit for bf16 is available.
void round(const float* from, std::int64_t count, Bf16* to);

}  // namespace fovea::cpu::bf16
