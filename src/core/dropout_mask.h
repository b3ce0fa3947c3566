// Fovea: which elements dropout zeroes: one rule for every backend, forward and backward.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cmath>
#include <cstdint>

#include "core/rng.h"

namespace fovea {

/// Element i is zeroed when its 32-bit draw is below rate * 2^32. The draw is lane i % 4 of a Philox block with
/// counter (i / 4 low word, i / 4 high word, stream, step) and key (seed low word, seed high word ^ kDomain), so it depends on
/// nothing that a thread, a vector width or a tile size could change. kDomain keeps these draws apart from those of Rng.
class DropoutMask {
 public:
  static constexpr std::uint32_t kDomain = 0x44524F50;
  static constexpr std::int64_t kLanes = 4;

  /// `rate` in [0, 1].
  DropoutMask(std::uint64_t seed, std::uint32_t step, std::uint32_t stream, float rate)
      : key_{static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32) ^ kDomain},
        stream_(stream),
        step_(step),
        threshold_(static_cast<std::uint64_t>(std::ceil(static_cast<double>(rate) * 0x1p32))) {}

  /// Whether elements 4 * block to 4 * block + 3 stay.
  [[nodiscard]] std::array<bool, 4> kept(std::int64_t block) const {
    const auto index = static_cast<std::uint64_t>(block);
    const auto draws = philox({static_cast<std::uint32_t>(index), static_cast<std::uint32_t>(index >> 32), stream_, step_}, key_);
    return {draws[0] >= threshold_, draws[1] >= threshold_, draws[2] >= threshold_, draws[3] >= threshold_};
  }
  /// Whether one element stays.
  [[nodiscard]] bool keeps(std::int64_t element) const {
    return kept(element / kLanes)[static_cast<std::size_t>(element % kLanes)];
  }

 private:
  std::array<std::uint32_t, 2> key_;
  std::uint32_t stream_;
  std::uint32_t step_;
  std::uint64_t threshold_;  ///< 2^32 when everything is dropped, hence 64 bits
};

}  // namespace fovea
