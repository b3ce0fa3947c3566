// SPDX-License-Identifier: Apache-2.0
#include "core/error.h"

#include <gtest/gtest.h>

namespace fovea {
namespace {

Result<int> half(int value) {
  if (value % 2 != 0) return fail(Error::Kind::kUsage, "half: got {}, expected an even number", value);
  return value / 2;
}

Result<int> quarter(int value) {
  FOVEA_ASSIGN(const int once, half(value));
  return half(once);
}

TEST(Error, PassesThroughTry) {
  EXPECT_EQ(*quarter(8), 2);
  EXPECT_EQ(quarter(6).error().message, "half: got 3, expected an even number");
}

TEST(Error, PrintableEscapesWhatATerminalWouldObey) {
  EXPECT_EQ(printable("caf\xC3\xA9"), "café");
  EXPECT_EQ(printable("a\x1B[31m\n"), "a\\x1b[31m\\x0a");
  EXPECT_EQ(printable("\xC0\x80"), "\\xc0\\x80");
  EXPECT_EQ(printable("abcdef", 3), "abc…");
}

}  // namespace
}  // namespace fovea
