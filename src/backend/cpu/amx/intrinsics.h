// Fovea: what the files share that use AMX and AVX-512 by name.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#if defined(__x86_64__) && defined(__linux__)
#define FOVEA_HAS_AMX 1

// GCC 12 warns of what its own header leaves undefined on purpose (bug 105593), wherever that is inlined.
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"
#include <immintrin.h>

// The rest of the program is compiled for any x86 processor; these functions run where available() says so.
#define FOVEA_AMX __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512bf16,amx-tile,amx-bf16")))
#define FOVEA_AMX_INLINE FOVEA_AMX __attribute__((always_inline)) inline

namespace fovea::cpu::amx {

/// GCC does not see which memory the tile instructions read and write; nothing moves across this.
inline void fence() { asm volatile("" ::: "memory"); }

}  // namespace fovea::cpu::amx

#else
#define FOVEA_HAS_AMX 0
#endif
