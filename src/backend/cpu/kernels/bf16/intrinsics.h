// Fovea: what the files share that use AVX512_BF16 and AMX by name.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#if defined(__x86_64__) && defined(__linux__)
#define FOVEA_HAS_BF16 1

// GCC 12 warns of what its own header leaves undefined on purpose (bug 105593), wherever that is inlined.
#ifndef __clang__
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#pragma GCC diagnostic ignored "-Wuninitialized"
#include <immintrin.h>

// The rest of the program is compiled for any x86 processor; these functions run where available() says so. A compiler makes
// tile instructions only of their intrinsics, so functions without any run where there are only vectors.
#define FOVEA_BF16 __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512bf16,amx-tile,amx-bf16")))
#define FOVEA_BF16_INLINE FOVEA_BF16 __attribute__((always_inline)) inline

namespace fovea::cpu::bf16 {

/// GCC does not see which memory the tile instructions read and write; nothing moves across this.
inline void fence() { asm volatile("" ::: "memory"); }

}  // namespace fovea::cpu::bf16

#else
#define FOVEA_HAS_BF16 0
#endif
