// SPDX-License-Identifier: Apache-2.0
#include "backend/cpu/kernels/target.h"

#include <bit>
#include <vector>

#include "core/error.h"
#include "hwy/highway.h"

namespace fovea::cpu {
namespace {

struct Named {
  std::int64_t bit;
  std::string_view name;
};
constexpr Named kNames[] = {{HWY_AVX3_DL, "avx3_dl"}, {HWY_AVX3, "avx3"}, {HWY_AVX2, "avx2"},     {HWY_SSE4, "sse4"},
                            {HWY_SSSE3, "ssse3"},     {HWY_NEON, "neon"}, {HWY_EMU128, "emu128"}, {HWY_SCALAR, "scalar"}};

/// Highway's dispatch tables: entry 0 chooses, then the dynamic targets, best first, then the fallback;
/// a single entry where only one target is compiled.
std::size_t table_index_of(std::int64_t bit) {
  constexpr bool kSingle = (HWY_TARGETS & (HWY_TARGETS - 1)) == 0;
  if (kSingle) return 0;
  const std::int64_t mask = HWY_CHOSEN_TARGET_SHIFT(bit);
  return mask == 0 ? HWY_MAX_DYNAMIC_TARGETS + 1 : static_cast<std::size_t>(std::countr_zero(static_cast<std::uint64_t>(mask)));
}

}  // namespace

std::string_view Target::name() const {
  for (const Named& named : kNames) {
    if (named.bit == bit_) return named.name;
  }
  return "other";
}

Target::Target(std::int64_t bit, bf16::Unit unit) : bit_(bit), table_index_(table_index_of(bit)), bf16_(unit) {}

Result<Target> Target::choose(std::string_view wanted) {
  // Not asked of the library where all is compiled for one set: it would deny NEON to a Raspberry Pi 4, which has no AES beside
  // it.
  const std::int64_t usable = HWY_SUPPORTED_TARGETS & HWY_TARGETS;
  const std::int64_t best = usable & -usable;
  if (wanted.empty()) return Target(best, bf16::best_unit());
  std::string names;
  for (const bf16::Unit unit : {bf16::Unit::kTiles, bf16::Unit::kVectors}) {
    if (!available(unit)) continue;
    if (name_of(unit) == wanted) return Target(best, unit);
    names += std::string(name_of(unit)) + ", ";
  }
  for (const Named& named : kNames) {
    if ((usable & named.bit) == 0) continue;
    if (named.name == wanted) return Target(named.bit, bf16::Unit::kNone);
    names += std::string(named.name) + ", ";
  }
  names.resize(names.size() - 2);
  return fail(Error::Kind::kUsage, "FOVEA_CPU: got '{}', expected one of {} on this processor", wanted, names);
}

}  // namespace fovea::cpu
