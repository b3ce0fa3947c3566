// Fovea: the units of x86 processors that multiply bf16 numbers: tiles (AMX) and vectors (AVX512_BF16).
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace fovea::cpu::bf16 {

enum class Unit : std::uint8_t { kNone, kVectors, kTiles };

/// "avx512_bf16", "amx", or "none"; static storage. With a slash it begins the names of the kernels that run on it.
[[nodiscard]] std::string_view name_of(Unit unit);

/// Whether this processor has the unit and the system lets this process use it. There is always kNone.
[[nodiscard]] bool available(Unit unit);

/// The fastest one that is available.
[[nodiscard]] Unit best_unit();

/// The calling thread's unit is set up while it lives, and then as it was before: others, oneDNN for one, remember how they set
/// it.
class OnThread {
 public:
  explicit OnThread(Unit unit);
  ~OnThread();
  OnThread(const OnThread&) = delete;
  OnThread& operator=(const OnThread&) = delete;

 private:
  Unit unit_;
  alignas(64) std::byte before_[64] = {};  ///< the tiles' set-up
};

}  // namespace fovea::cpu::bf16
