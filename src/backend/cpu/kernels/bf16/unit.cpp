// SPDX-License-Identifier: Apache-2.0
#include "backend/cpu/kernels/bf16/unit.h"

#include "backend/cpu/kernels/bf16/intrinsics.h"

#if FOVEA_HAS_BF16
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#endif

namespace fovea::cpu::bf16 {

std::string_view name_of(Unit unit) {
  switch (unit) {
    case Unit::kNone: return "none";
    case Unit::kVectors: return "avx512_bf16";
    case Unit::kTiles: return "amx";
  }
  return {};
}

Unit best_unit() {
  for (const Unit unit : {Unit::kTiles, Unit::kVectors}) {
    if (available(unit)) return unit;
  }
  return Unit::kNone;
}

#if FOVEA_HAS_BF16
namespace {

/// What LDTILECFG reads; Intel 64 manual, volume 1, 18.5.
struct alignas(64) TileConfig {
  std::uint8_t palette = 1;
  std::uint8_t start_row = 0;
  std::uint8_t reserved[14] = {};
  std::uint16_t row_bytes[16] = {};
  std::uint8_t rows[16] = {};
};

FOVEA_BF16 void set_up_tiles(std::byte* before) {
  _tile_storeconfig(before);
  TileConfig config;
  std::fill_n(config.row_bytes, 8, std::uint16_t{64});
  std::fill_n(config.rows, 8, std::uint8_t{16});
  fence();
  _tile_loadconfig(&config);
}
FOVEA_BF16 void restore_tiles(const std::byte* before) {
  fence();
  // Palette 0 is no set-up: tiles that are free.
  before[0] == std::byte{0} ? _tile_release() : _tile_loadconfig(before);
}

bool find_vectors() {
  return __builtin_cpu_supports("avx512bf16") != 0 && __builtin_cpu_supports("avx512bw") != 0 &&
         __builtin_cpu_supports("avx512vl") != 0 && __builtin_cpu_supports("avx512dq") != 0;
}

bool find_tiles() {
  constexpr unsigned kTileBits = (1U << 22U) | (1U << 24U);  // AMX-BF16 and AMX-TILE
  std::array<unsigned, 4> registers{};
  auto& [eax, ebx, ecx, edx] = registers;
  if (!find_vectors() || __get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) == 0 || (edx & kTileBits) != kTileBits) return false;
  // Linux hands out the memory for the tiles' state on request: Documentation/arch/x86/xstate.rst.
  constexpr long kRequestPermission = 0x1023;
  constexpr long kTileData = 18;
  return ::syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
}

}  // namespace

bool available(Unit unit) {
  static const bool vectors_found = find_vectors();
  static const bool tiles_found = find_tiles();
  return unit == Unit::kNone || (unit == Unit::kTiles ? tiles_found : vectors_found);
}

OnThread::OnThread(Unit unit) : unit_(unit) {
  if (unit_ == Unit::kTiles) set_up_tiles(before_);
}
OnThread::~OnThread() {
  if (unit_ == Unit::kTiles) restore_tiles(before_);
}

#else

// Other processors have neither: available() keeps everybody from the rest.
bool available(Unit unit) { return unit == Unit::kNone; }
OnThread::OnThread(Unit unit) : unit_(unit) {}
OnThread::~OnThread() = default;

#endif

}  // namespace fovea::cpu::bf16
