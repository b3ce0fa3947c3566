// SPDX-License-Identifier: Apache-2.0
#include "metadata/splice.h"

#include <gtest/gtest.h>

#include <string>

#include "core/rng.h"

namespace fovea::metadata {
namespace {

std::string applied(std::string_view old, const Splices& splices) {
  const auto bytes = spliced(as_bytes(old), splices);
  return bytes ? std::string(as_text(*bytes)) : "refused";
}

TEST(Splice, RemovesAndInserts) {
  const Splices splices{{0, 0, copy_of(as_bytes("<"))}, {2, 3, copy_of(as_bytes("XY"))}, {6, 0, copy_of(as_bytes(">"))}};
  EXPECT_EQ(applied("abcdef", splices), "<abXYf>");
}

TEST(Splice, TheInverseLeadsBackWhateverChanged) {
  for (std::uint32_t round = 0; round < 300; ++round) {
    Rng rng(3, 0, round);
    std::string old(rng.below(40), 'x');
    for (char& letter : old) letter = static_cast<char>('a' + rng.below(3));
    Splices splices;
    for (std::size_t at = rng.below(5); at <= old.size(); at += 1 + rng.below(9)) {
      Splice splice{at, rng.below(static_cast<std::uint32_t>(old.size() - at) + 1), std::vector<std::byte>(rng.below(4))};
      at += splice.removed;
      splices.push_back(splice);
    }
    const auto changed = spliced(as_bytes(old), splices);
    ASSERT_TRUE(changed.ok());
    const auto stored = parse_splices(serialize(inverse(as_bytes(old), splices)));
    ASSERT_TRUE(stored.ok());
    EXPECT_EQ(applied(as_text(*changed), *stored), old);
    EXPECT_EQ(applied(as_text(*changed), difference(*changed, as_bytes(old))), old);
  }
}

TEST(Splice, WhatDoesNotFitIsRefused) {
  EXPECT_EQ(applied("abc", {{4, 0, {}}}), "refused");
  EXPECT_EQ(applied("abc", {{1, 3, {}}}), "refused");
  EXPECT_EQ(applied("abc", {{2, 1, {}}, {1, 0, {}}}), "refused");
}

TEST(Splice, AStoreCutShortIsRefused) {
  const auto whole = serialize({{1, 2, copy_of(as_bytes("hello"))}});
  for (std::size_t size = 1; size < whole.size(); ++size) {
    EXPECT_FALSE(parse_splices(Bytes(whole).first(size)).ok()) << size;
  }
}

}  // namespace
}  // namespace fovea::metadata
