// SPDX-License-Identifier: Apache-2.0
#include "core/hash.h"

#include <gtest/gtest.h>

#include <string>

namespace fovea {
namespace {

// The digests that the reference program `xxhsum -H64` prints.
TEST(Hash64, MatchesPublishedDigests) {
  EXPECT_EQ(hash64(""), 0xEF46DB3751D8E999);
  EXPECT_EQ(hash64("a"), 0xD24EC4F1A98C6E5B);
  EXPECT_EQ(hash64("abc"), 0x44BC2CF5AD770999);
  EXPECT_EQ(hash64("Nobody inspects the spammish repetition"), 0xFBCEA83C8A378BF1);
}

TEST(Hash64, EveryByteAndTheSeedMatter) {
  const std::string text(100, 'x');
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::string other = text;
    other[i] = 'y';
    EXPECT_NE(hash64(other), hash64(text)) << i;
    EXPECT_NE(hash64(std::string_view(text).substr(0, i)), hash64(text)) << i;
  }
  EXPECT_NE(hash64(text, 1), hash64(text));
}

}  // namespace
}  // namespace fovea
