// SPDX-License-Identifier: Apache-2.0
#include "runtime/memory.h"

#include <algorithm>
#include <numeric>

#include "core/buffer.h"

namespace fovea {

MemoryLayout lay_out(std::span<const Lifetime> lifetimes) {
  std::vector<std::size_t> order(lifetimes.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) { return lifetimes[a].bytes > lifetimes[b].bytes; });

  MemoryLayout layout;
  layout.offsets.resize(lifetimes.size());
  std::vector<std::size_t> placed;  // sorted by offset
  for (const std::size_t index : order) {
    const Lifetime& life = lifetimes[index];
    std::size_t offset = 0;
    for (const std::size_t other : placed) {
      const Lifetime& neighbour = lifetimes[other];
      if (neighbour.last < life.first || life.last < neighbour.first) continue;
      if (offset + life.bytes <= layout.offsets[other]) break;
      offset = std::max(offset, align_up(layout.offsets[other] + neighbour.bytes));
    }
    layout.offsets[index] = offset;
    layout.bytes = std::max(layout.bytes, align_up(offset + life.bytes));
    const auto at = std::ranges::upper_bound(placed, offset, {}, [&](std::size_t other) { return layout.offsets[other]; });
    placed.insert(at, index);
  }
  return layout;
}

}  // namespace fovea
