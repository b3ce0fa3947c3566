// SPDX-License-Identifier: Apache-2.0
#include "core/buffer.h"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstdint>
#include <utility>

namespace fovea {
namespace {

constexpr std::size_t kHugePage = std::size_t{2} << 20;

/// Whether the page at `address`, which is one's first byte, belongs to this process.
bool is_mapped(const std::byte* address) { return ::msync(const_cast<std::byte*>(address), 1, MS_ASYNC) == 0; }

TEST(Buffer, IsZeroedAndWritableFromEndToEnd) {
  for (const std::size_t bytes : {std::size_t{1}, std::size_t{4096}, 5 * kHugePage + 4097}) {
    const Buffer buffer(bytes);
    EXPECT_EQ(buffer.size(), bytes);
    EXPECT_TRUE(std::all_of(buffer.data(), buffer.data() + bytes, [](std::byte value) { return value == std::byte{0}; }));
    buffer.data()[0] = buffer.data()[bytes - 1] = std::byte{1};
  }
}

TEST(Buffer, ALargeOneBeginsWhereAHugePageCan) {
  for (const std::size_t bytes : {2 * kHugePage, 5 * kHugePage + 4097}) {
    const Buffer buffer(bytes);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(buffer.data()) % kHugePage, 0U) << bytes;
  }
}

TEST(Buffer, AHugePageAtTheEndIsWholeWhereHalfOfItIsFilled) {
  EXPECT_EQ(mapped_bytes(5 * kHugePage + kHugePage / 2 + 1), 6 * kHugePage);
  EXPECT_LT(mapped_bytes(5 * kHugePage + 4097), 6 * kHugePage);
  EXPECT_LT(mapped_bytes(kHugePage - 4096), kHugePage);
}

TEST(Buffer, GivesBackAllThatItHas) {
  for (const std::size_t bytes : {5 * kHugePage + 4097, 6 * kHugePage - 4097}) {
    const std::size_t last = mapped_bytes(bytes) - 4096;
    const std::byte* data = nullptr;
    {
      const Buffer buffer(bytes);
      data = buffer.data();
      EXPECT_TRUE(is_mapped(data));
      EXPECT_TRUE(is_mapped(data + last));
    }
    for (const std::size_t page : {std::size_t{0}, kHugePage, last}) EXPECT_FALSE(is_mapped(data + page)) << page;
  }
}

TEST(Buffer, HasNothingAfterItWasMoved) {
  Buffer buffer(4096);
  const Buffer other = std::move(buffer);
  EXPECT_EQ(other.size(), 4096U);
  EXPECT_EQ(buffer.size(), 0U);  // NOLINT(bugprone-use-after-move): what is asked
  EXPECT_TRUE(buffer.floats().empty());
}

}  // namespace
}  // namespace fovea
