// Fovea: the draws of dropout, the same as everywhere (core/dropout_mask.h), on a device.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <cstdint>

#include "backend/cuda/kernels/elementwise.h"
#include "core/dropout_mask.h"

namespace fovea::cuda {

/// Below this a draw zeroes its element; 2^32 when everything is dropped, hence 64 bits.
[[nodiscard]] inline std::uint64_t dropout_threshold(float rate) {
  return static_cast<std::uint64_t>(std::ceil(static_cast<double>(rate) * 0x1p32));
}

/// The four draws of block `index` (Philox4x32-10, as in core/rng.h, whose std::array device code cannot index).
FOVEA_INLINE void dropout_draws(const StepState& state, std::uint32_t stream, std::uint64_t index, std::uint32_t (&draws)[4]) {
  std::uint32_t c[4] = {static_cast<std::uint32_t>(index), static_cast<std::uint32_t>(index >> 32), stream, state.step};
  std::uint32_t k0 = static_cast<std::uint32_t>(state.seed);
  std::uint32_t k1 = static_cast<std::uint32_t>(state.seed >> 32) ^ DropoutMask::kDomain;
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t a = std::uint64_t{0xD2511F53} * c[0];
    const std::uint64_t b = std::uint64_t{0xCD9E8D57} * c[2];
    const std::uint32_t next[4] = {static_cast<std::uint32_t>(b >> 32) ^ c[1] ^ k0, static_cast<std::uint32_t>(b),
                                   static_cast<std::uint32_t>(a >> 32) ^ c[3] ^ k1, static_cast<std::uint32_t>(a)};
    for (int i = 0; i < 4; ++i) c[i] = next[i];
    k0 += 0x9E3779B9U;
    k1 += 0xBB67AE85U;
  }
  for (int i = 0; i < 4; ++i) draws[i] = c[i];
}

}  // namespace fovea::cuda
