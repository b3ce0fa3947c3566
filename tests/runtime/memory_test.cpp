// SPDX-License-Identifier: Apache-2.0
#include "runtime/memory.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "core/buffer.h"
#include "core/rng.h"

namespace fovea {
namespace {

bool alive_together(const Lifetime& a, const Lifetime& b) { return a.first <= b.last && b.first <= a.last; }

TEST(Memory, NeighboursInTimeNeverOverlapInSpace) {
  for (std::uint32_t trial = 0; trial < 50; ++trial) {
    Rng rng(1, 0, trial);
    std::vector<Lifetime> lifetimes(40);
    for (Lifetime& life : lifetimes) {
      const std::size_t first = rng.below(30);
      life = {rng.below(5000), first, first + rng.below(10)};
    }
    const MemoryLayout layout = lay_out(lifetimes);
    for (std::size_t i = 0; i < lifetimes.size(); ++i) {
      EXPECT_EQ(layout.offsets[i] % kAlignment, 0U);
      EXPECT_LE(layout.offsets[i] + lifetimes[i].bytes, layout.bytes);
      for (std::size_t j = 0; j < i; ++j) {
        if (lifetimes[i].bytes == 0 || lifetimes[j].bytes == 0 || !alive_together(lifetimes[i], lifetimes[j])) continue;
        const bool apart = layout.offsets[i] + lifetimes[i].bytes <= layout.offsets[j] ||
                           layout.offsets[j] + lifetimes[j].bytes <= layout.offsets[i];
        EXPECT_TRUE(apart) << i << " and " << j;
      }
    }
  }
}

TEST(Memory, AChainNeedsTwoNeighboursAtATime) {
  // Each tensor is read by the next step only, as in a network without branches.
  const std::vector<Lifetime> chain{{640, 0, 1}, {640, 1, 2}, {640, 2, 3}, {640, 3, 4}};
  EXPECT_EQ(lay_out(chain).bytes, 1280U);
}

}  // namespace
}  // namespace fovea
