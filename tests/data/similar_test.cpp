// SPDX-License-Identifier: Apache-2.0
#include "data/similar.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <bit>

#include "core/rng.h"
#include "data/colour.h"
#include "data/photos.h"
#include "image/decode.h"
#include "image/encode.h"
#include "image/resize.h"

namespace fovea {
namespace {

using testing::ElementsAre;

Image recompressed(const Image& photo, int quality) {
  const std::vector<std::byte> jpeg = encode_jpeg(photo, quality);
  return *decode_image(jpeg);
}

TEST(Fingerprint, RecognisesCopies) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const Image photo = test::random_photo(160, 120, seed);
    const Fingerprint original = fingerprint_of(photo);
    EXPECT_TRUE(nearly_same(original, fingerprint_of(resize(photo, 80, 60, Filter::kBilinear)))) << seed;
    EXPECT_TRUE(nearly_same(original, fingerprint_of(resize(photo, 311, 233, Filter::kBicubic)))) << seed;
    EXPECT_TRUE(nearly_same(original, fingerprint_of(recompressed(photo, 40)))) << seed;
    Image brighter = photo;
    adjust_brightness(brighter, 1.08F);
    EXPECT_TRUE(nearly_same(original, fingerprint_of(brighter))) << seed;
  }
}

TEST(Fingerprint, TellsPhotosApart) {
  std::vector<Fingerprint> all;
  for (std::uint64_t seed = 0; seed < 60; ++seed) all.push_back(fingerprint_of(test::random_photo(90, 70, seed)));
  for (std::size_t i = 0; i < all.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) EXPECT_FALSE(nearly_same(all[i], all[j])) << i << ' ' << j;
  }
}

TEST(Fingerprint, FlatPicturesOfDifferentColourAreNotTheSame) {
  EXPECT_FALSE(
      nearly_same(fingerprint_of(test::flat_photo(40, 40, 200, 0, 0)), fingerprint_of(test::flat_photo(40, 40, 0, 0, 200))));
}

TEST(Fingerprint, SameBytesAreTheSameWhateverTheyShow) {
  const test::TemporaryFolder folder;
  test::photo_file(folder / "a.jpg", test::random_photo(20, 20, 1));
  std::filesystem::copy_file(folder / "a.jpg", folder / "b.jpg");
  const auto a = fingerprint_of(folder / "a.jpg");
  const auto b = fingerprint_of(folder / "b.jpg");
  ASSERT_TRUE(a.ok() && b.ok());
  EXPECT_EQ(a->content, b->content);
  EXPECT_NE(a->content, 0U);
}

TEST(FingerprintsOf, LeavesOutWhatCannotBeRead) {
  const test::TemporaryFolder folder;
  test::photo_file(folder / "a.jpg");
  test::text_file(folder / "b.jpg", "not a photo");
  const std::vector<std::filesystem::path> paths{folder / "a.jpg", folder / "b.jpg", folder / "c.jpg"};
  Context context;
  context.threads = 2;
  const auto all = fingerprints_of(context, paths);
  ASSERT_TRUE(all.ok());
  EXPECT_TRUE((*all)[0].has_value());
  EXPECT_FALSE((*all)[1].has_value());
  EXPECT_FALSE((*all)[2].has_value());
}

// Hashes that differ from one of a few centres in up to 12 random bits; the same thumbnail.
std::vector<std::optional<Fingerprint>> scattered(std::size_t count, std::size_t centres) {
  Rng rng(5);
  std::vector<std::uint64_t> centre(centres);
  for (std::uint64_t& hash : centre) hash = std::uint64_t{rng()} << 32 | rng();
  std::vector<std::optional<Fingerprint>> photos(count);
  for (auto& photo : photos) {
    photo.emplace();
    photo->perceptual = centre[rng.below(static_cast<std::uint32_t>(centres))];
    for (std::uint32_t flips = rng.below(13); flips > 0; --flips) photo->perceptual ^= std::uint64_t{1} << rng.below(64);
  }
  return photos;
}

TEST(GroupNearDuplicates, FindsEveryPairThatComparingAllWithAllFinds) {
  auto photos = scattered(600, 40);
  photos[17].reset();
  const std::vector<int> groups = group_near_duplicates(photos);
  // Repeatedly give both of an alike pair the smaller number, until nothing changes.
  std::vector<int> expected(photos.size());
  for (std::size_t i = 0; i < expected.size(); ++i) expected[i] = static_cast<int>(i);
  for (bool changed = true; changed;) {
    changed = false;
    for (std::size_t i = 0; i < photos.size(); ++i) {
      for (std::size_t j = 0; j < i; ++j) {
        if (!photos[i] || !photos[j] || expected[i] == expected[j] || !nearly_same(*photos[i], *photos[j])) continue;
        expected[i] = expected[j] = std::min(expected[i], expected[j]);
        changed = true;
      }
    }
  }
  for (std::size_t i = 0; i < photos.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) EXPECT_EQ(groups[i] == groups[j], expected[i] == expected[j]) << i << ' ' << j;
  }
}

TEST(GroupNearDuplicates, NumbersInOrderOfFirstAppearance) {
  const Fingerprint a = fingerprint_of(test::random_photo(40, 40, 1));
  const Fingerprint b = fingerprint_of(test::random_photo(40, 40, 2));
  const std::vector<std::optional<Fingerprint>> photos{a, b, std::nullopt, a, std::nullopt, b};
  EXPECT_THAT(group_near_duplicates(photos), ElementsAre(0, 1, 2, 0, 3, 1));
}

TEST(GroupNearDuplicates, SixtyThousandPhotosAreFewComparisons) {
  const auto photos = scattered(60'000, 60'000);
  const std::vector<int> groups = group_near_duplicates(photos);
  EXPECT_GT(*std::ranges::max_element(groups), 10'000);
}

}  // namespace
}  // namespace fovea
