// Fovea: the tile unit of x86 processors (AMX), which multiplies bf16 numbers.
// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace fovea::cpu::amx {

/// Whether this processor has tiles for bf16 and the system lets this process use them.
[[nodiscard]] bool available();

/// The calling thread's tiles are set up while it lives.
class Tiles {
 public:
  Tiles();
  ~Tiles();
  Tiles(const Tiles&) = delete;
  Tiles& operator=(const Tiles&) = delete;
};

}  // namespace fovea::cpu::amx
