// Fovea: laying tensors of known lifetimes into one block of memory.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace fovea {

/// A tensor that must keep its memory from step `first` to step `last`, both included.
struct Lifetime {
  std::size_t bytes = 0;
  std::size_t first = 0;
  std::size_t last = 0;
};

struct MemoryLayout {
  std::vector<std::size_t> offsets;  ///< in the order of the lifetimes, multiples of kAlignment
  std::size_t bytes = 0;
};

/// Offsets such that no two tensors alive at the same step overlap. Greedy by size, each into the lowest gap that fits
/// (Pisarchyk and Lee, "Efficient memory management for deep neural net inference", 2020).
[[nodiscard]] MemoryLayout lay_out(std::span<const Lifetime> lifetimes);

}  // namespace fovea
