// Fovea: many 32-bit numbers in order, on all threads.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>

#include "core/context.h"

namespace fovea::benchmark {

/// Ascending. The numbers are dealt out to 2048 buckets by their highest bits, and each bucket, which is then small enough for a
/// processor's own cache, is sorted by counting its digits. Right for all numbers; as fast as it is for those that are spread
/// evenly. `scratch` has as many, and holds nothing of use afterwards.
void sort_numbers(const Context& context, std::span<std::uint32_t> numbers, std::span<std::uint32_t> scratch);

/// What does not change when numbers change places; other numbers have others but for a chance in 2^64.
struct Sums {
  std::uint64_t sum = 0;
  std::uint64_t squares = 0;  ///< modulo 2^64
  std::uint32_t exclusive_or = 0;
  bool operator==(const Sums&) const = default;
};
[[nodiscard]] Sums sums_of(const Context& context, std::span<const std::uint32_t> numbers);
[[nodiscard]] bool is_ascending(const Context& context, std::span<const std::uint32_t> numbers);

/// Evenly spread over all 32-bit numbers, the same for the same seed whatever the threads.
void fill_random(const Context& context, std::uint64_t seed, std::span<std::uint32_t> numbers);

}  // namespace fovea::benchmark
