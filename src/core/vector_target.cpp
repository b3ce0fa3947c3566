// SPDX-License-Identifier: Apache-2.0
#include "core/vector_target.h"

#include <bit>
#include <vector>

#include "core/vector_versions.h"

namespace fovea {
namespace {

constexpr bool kOneTarget = (HWY_TARGETS & (HWY_TARGETS - 1)) == 0;

struct Named {
  std::int64_t bit;
  std::string_view name;
};
constexpr Named kNames[] = {{HWY_AVX3_DL, "avx3_dl"}, {HWY_AVX3, "avx3"}, {HWY_AVX2, "avx2"},     {HWY_SSE4, "sse4"},
                            {HWY_SSSE3, "ssse3"},     {HWY_NEON, "neon"}, {HWY_EMU128, "emu128"}, {HWY_SCALAR, "scalar"}};

/// A table holds the dynamic targets, best first, then the fallback; a single entry where one target is compiled.
std::size_t index_of(std::int64_t bit) {
  if (kOneTarget) return 0;
  const auto mask = static_cast<std::uint64_t>(HWY_CHOSEN_TARGET_SHIFT(bit));
  return mask == 0 ? HWY_MAX_DYNAMIC_TARGETS : static_cast<std::size_t>(std::countr_zero(mask)) - 1;
}

/// What the processor has beyond what the compiler was told that every processor has.
std::int64_t find_targets() {
  std::int64_t found = HWY_STATIC_TARGET;
#if HWY_ARCH_X86 && (HWY_TARGETS & (HWY_TARGETS - 1)) != 0
  // The levels of the x86-64 psABI are what Highway's targets ask for, but for these two.
  const bool ciphers = __builtin_cpu_supports("aes") != 0 && __builtin_cpu_supports("pclmul") != 0;
  if (ciphers && __builtin_cpu_supports("x86-64-v2") != 0) found |= HWY_SSE4;
  if (ciphers && __builtin_cpu_supports("x86-64-v3") != 0) found |= HWY_AVX2;
  if (ciphers && __builtin_cpu_supports("x86-64-v4") != 0) found |= HWY_AVX3;
#endif
  return found & HWY_TARGETS;
}

}  // namespace

VectorTarget::VectorTarget(std::int64_t bit) : bit_(bit), index_(index_of(bit)) {}

std::span<const VectorTarget> VectorTarget::usable() {
  static const std::vector<VectorTarget> targets = [] {
    std::vector<VectorTarget> best_first;
    for (std::int64_t left = find_targets(); left != 0; left &= left - 1) best_first.push_back(VectorTarget(left & -left));
    return best_first;
  }();
  return targets;
}

std::string_view VectorTarget::name() const {
  for (const Named& named : kNames) {
    if (named.bit == bit_) return named.name;
  }
  return "other";
}

}  // namespace fovea
