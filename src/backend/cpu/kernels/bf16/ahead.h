// Fovea: memory that is needed soon, fetched while something else is computed.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "backend/cpu/kernels/bf16/intrinsics.h"

namespace fovea::cpu::bf16 {

inline constexpr std::int64_t kCacheLine = 64;

/// Brought into the second-level cache: up to `lines` cache lines a step of whoever computes.
struct Ahead {
  const std::byte* at = nullptr;
  const std::byte* end = nullptr;
  std::int64_t lines = 0;

  /// So many lines a step that all are fetched in `steps`.
  void spread(std::int64_t bytes, std::int64_t steps) { lines = bytes / kCacheLine / (steps > 0 ? steps : 1) + 1; }
  [[nodiscard]] std::int64_t bytes() const { return at < end ? end - at : 0; }
};

/// Several pieces, fetched one after the other.
struct Upcoming {
  Ahead pieces[4];

  /// So many lines a step that all are fetched in `steps`.
  void spread(std::int64_t steps) {
    std::int64_t bytes = 0;
    for (const Ahead& piece : pieces) bytes += piece.bytes();
    for (Ahead& piece : pieces) piece.spread(bytes, steps);
  }
  /// The first that is not fetched yet.
  [[nodiscard]] Ahead& next() {
    for (Ahead& piece : pieces) {
      if (piece.bytes() > 0) return piece;
    }
    return pieces[0];
  }
};

#if FOVEA_HAS_BF16

FOVEA_BF16_INLINE void fetch(Ahead& ahead, std::int64_t steps = 1) {
  for (std::int64_t i = 0; i < ahead.lines * steps && ahead.at < ahead.end; ++i, ahead.at += kCacheLine)
    _mm_prefetch(reinterpret_cast<const char*>(ahead.at), _MM_HINT_T1);
}

#endif

}  // namespace fovea::cpu::bf16
