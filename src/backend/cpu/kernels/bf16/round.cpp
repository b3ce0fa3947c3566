// SPDX-License-Identifier: Apache-2.0
#include "backend/cpu/kernels/bf16/round.h"

#include "backend/cpu/kernels/bf16/intrinsics.h"
#include "core/dtype.h"

#if FOVEA_HAS_BF16
#include "backend/cpu/kernels/bf16/vectors.h"
#endif

namespace fovea::cpu::bf16 {

#if FOVEA_HAS_BF16

FOVEA_BF16 void round(const float* from, std::int64_t count, Bf16* to) {
  std::int64_t i = 0;
  for (; i + 32 <= count; i += 32)
    _mm512_storeu_si512(to + i, round_in_turn(_mm512_loadu_ps(from + i), _mm512_loadu_ps(from + i + 16)));
  for (; i < count; ++i) to[i] = f32_to_bf16(from[i]);
}

#else

void round(const float* from, std::int64_t count, Bf16* to) {
  for (std::int64_t i = 0; i < count; ++i) to[i] = f32_to_bf16(from[i]);
}

#endif

}  // namespace fovea::cpu::bf16
