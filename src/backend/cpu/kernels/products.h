// Fovea: who computes dense products: oneDNN, or own kernels.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

#include "fovea/result.h"

namespace fovea::cpu {

/// Of convolutions, linear layers and their gradients in training. For use, fp32 ones are own kernels everywhere (dense.h).
enum class Products : std::uint8_t { kOneDnn, kOwn };

/// oneDNN on x86, whose processors it compiles for at run time. Own kernels elsewhere: on Arm it compiles for SVE alone, and
/// without Arm's library (Debian's is without) it has plain loops for the processors of a Raspberry Pi. `wanted` ("onednn",
/// "own",
/// "" for that rule) comes first; anything else is an error. Nothing is timed, so the same machine gives the same bits.
Result<Products> choose_products(std::string_view wanted);

}  // namespace fovea::cpu
