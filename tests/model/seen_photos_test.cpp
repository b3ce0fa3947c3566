// SPDX-License-Identifier: Apache-2.0
#include "model/seen_photos.h"

#include <gtest/gtest.h>

#include "core/rng.h"

namespace fovea {
namespace {

std::vector<std::uint64_t> drawn(std::size_t count, std::uint32_t stream) {
  Rng rng(3, stream, 0);
  std::vector<std::uint64_t> marks;
  while (marks.size() < count) marks.push_back(std::uint64_t{rng()} << 32 | rng());
  return marks;
}

TEST(SeenPhotos, FewAreKnownExactly) {
  const auto marks = drawn(100, 0);
  const PhotoMarks seen = sketch_of(marks);
  EXPECT_EQ(seen.photos, 100);
  EXPECT_EQ(share_seen(seen, marks), 1.0);
  EXPECT_EQ(share_seen(seen, drawn(100, 1)), 0.0);
  std::vector<std::uint64_t> mixed(marks.begin(), marks.begin() + 25);
  const auto others = drawn(75, 1);
  mixed.insert(mixed.end(), others.begin(), others.end());
  EXPECT_EQ(share_seen(seen, mixed), 0.25);
  EXPECT_EQ(share_seen(seen, {}), 0.0);
  EXPECT_EQ(share_seen(sketch_of({}), marks), 0.0);
}

TEST(SeenPhotos, OfManyASampleTellsTheShare) {
  const auto marks = drawn(20'000, 0);
  const PhotoMarks seen = sketch_of(marks);
  EXPECT_EQ(seen.photos, 20'000);
  EXPECT_EQ(seen.marks.size(), PhotoMarks::kMost);
  EXPECT_EQ(share_seen(seen, marks), 1.0);
  std::vector<std::uint64_t> mixed(marks.begin(), marks.begin() + 10'000);
  const auto others = drawn(10'000, 1);
  mixed.insert(mixed.end(), others.begin(), others.end());
  const auto share = share_seen(seen, mixed);
  ASSERT_TRUE(share);
  EXPECT_NEAR(*share, 0.5, 0.05);  // about 2,048 photos tell it: three standard errors are 0.034
  mixed.resize(20);                // of which two can be compared
  EXPECT_FALSE(share_seen(seen, mixed));
}

TEST(SeenPhotos, TextComesBackAndDamageIsNoticed) {
  const PhotoMarks seen = sketch_of(drawn(3000, 0));
  const std::string text = text_of(seen.marks);
  EXPECT_EQ(text.size(), 16 * PhotoMarks::kMost);
  EXPECT_EQ(marks_from(text), seen.marks);
  EXPECT_EQ(marks_from(""), std::vector<std::uint64_t>());
  EXPECT_FALSE(marks_from(text.substr(1)));
  EXPECT_FALSE(marks_from(text + text.substr(0, 16)));
  EXPECT_FALSE(
      marks_from("000000000000000200000000000000ff"
                 "0000000000000001"));
  EXPECT_FALSE(marks_from("00000000 0000002"));
}

}  // namespace
}  // namespace fovea
