// SPDX-License-Identifier: Apache-2.0
#include "backend/cpu/amx/tiles.h"

#include "backend/cpu/amx/intrinsics.h"

#if FOVEA_HAS_AMX

#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>

namespace fovea::cpu::amx {
namespace {

/// What LDTILECFG reads; Intel 64 manual, volume 1, 18.5.
struct alignas(64) TileConfig {
  std::uint8_t palette = 1;
  std::uint8_t start_row = 0;
  std::uint8_t reserved[14] = {};
  std::uint16_t row_bytes[16] = {};
  std::uint8_t rows[16] = {};
};

FOVEA_AMX void set_up_tiles() {
  TileConfig config;
  std::fill_n(config.row_bytes, 8, std::uint16_t{64});
  std::fill_n(config.rows, 8, std::uint8_t{16});
  fence();
  _tile_loadconfig(&config);
}
FOVEA_AMX void release_tiles() { _tile_release(); }

bool find_tiles() {
  for (const bool has : {__builtin_cpu_supports("amx-bf16") != 0, __builtin_cpu_supports("avx512bf16") != 0,
                         __builtin_cpu_supports("avx512bw") != 0, __builtin_cpu_supports("avx512vl") != 0,
                         __builtin_cpu_supports("avx512dq") != 0}) {
    if (!has) return false;
  }
  // Linux hands out the memory for the tiles' state on request: Documentation/arch/x86/xstate.rst.
  constexpr long kRequestPermission = 0x1023;
  constexpr long kTileData = 18;
  return ::syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
}

}  // namespace

bool available() {
  static const bool kAvailable = find_tiles();
  return kAvailable;
}

Tiles::Tiles() { set_up_tiles(); }
Tiles::~Tiles() { release_tiles(); }

}  // namespace fovea::cpu::amx

#else

namespace fovea::cpu::amx {

// Other processors have no tiles: available() keeps everybody from the rest.
bool available() { return false; }
Tiles::Tiles() = default;
Tiles::~Tiles() = default;

}  // namespace fovea::cpu::amx

#endif
