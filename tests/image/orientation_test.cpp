// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

#include "image/decode.h"
#include "image/encode.h"
#include "image/exif.h"
#include "image/pictures.h"
#include "image/raster.h"

namespace fovea {
namespace {

std::vector<std::byte> bytes_of(std::string_view text) {
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

// A TIFF structure whose only entry is tag 274 of type SHORT (3) or LONG (4).
std::string tiff_block(bool big, int type, int orientation) {
  const auto number = [&](unsigned value, int size) {
    std::string out;
    for (int i = 0; i < size; ++i) out += static_cast<char>(value >> (8 * (big ? size - 1 - i : i)) & 255U);
    return out;
  };
  std::string block = big ? std::string("MM\0*", 4) : std::string("II*\0", 4);
  block += number(8, 4) + number(1, 2) + number(274, 2) + number(static_cast<unsigned>(type), 2) + number(1, 4);
  block +=
      type == 4 ? number(static_cast<unsigned>(orientation), 4) : number(static_cast<unsigned>(orientation), 2) + number(0, 2);
  return block + number(0, 4);
}

// The JPEG with an Exif segment after its first marker.
std::vector<std::byte> with_exif(const std::vector<std::byte>& jpeg, const std::string& tiff) {
  const std::string body = std::string("Exif\0\0", 6) + tiff;
  const std::size_t length = body.size() + 2;
  const std::string segment = std::string("\xFF\xE1") + static_cast<char>(length / 256) + static_cast<char>(length % 256) + body;
  std::vector<std::byte> out(jpeg.begin(), jpeg.begin() + 2);
  const std::vector<std::byte> added = bytes_of(segment);
  out.insert(out.end(), added.begin(), added.end());
  out.insert(out.end(), jpeg.begin() + 2, jpeg.end());
  return out;
}

class Orientation : public testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(All, Orientation, testing::Range(1, 9));

TEST_P(Orientation, StoredEightWaysGivesOnePicture) {
  for (const std::string extension : {"png", "webp", "tif"}) {
    const std::string name = "orientation" + std::to_string(GetParam()) + "." + extension;
    const auto bytes = test::picture_bytes(name);
    const Image expected = test::picture_pixels(name);
    const auto info = read_image_info(bytes);
    ASSERT_TRUE(info.ok()) << info.error().message;
    EXPECT_EQ(info->orientation, GetParam()) << name;
    EXPECT_EQ(info->width, expected.width) << name;
    EXPECT_EQ(info->height, expected.height) << name;
    const auto image = decode_image(bytes);
    ASSERT_TRUE(image.ok()) << image.error().message;
    EXPECT_EQ(image->width, expected.width) << name;
    EXPECT_EQ(image->pixels, expected.pixels) << name;
  }
}

TEST_P(Orientation, JpegTurnsAfterDecoding) {
  const auto jpeg = encode_jpeg(test::test_card(40, 24), 80);
  const Image expected = upright(decode_image(jpeg).value(), GetParam());
  for (const bool big : {false, true}) {
    for (const int type : {3, 4}) {
      const auto bytes = with_exif(jpeg, tiff_block(big, type, GetParam()));
      const auto image = decode_image(bytes);
      ASSERT_TRUE(image.ok()) << image.error().message;
      EXPECT_EQ(image->width, expected.width);
      EXPECT_EQ(image->pixels, expected.pixels);
      EXPECT_EQ(read_image_info(bytes)->width, GetParam() >= 5 ? 24 : 40);
    }
  }
}

// AVIF is lossy, so: the upright picture is nearer than the same picture turned in any other way.
TEST_P(Orientation, AvifIsTurnedOnce) {
  const auto image = decode_image(test::picture_bytes("orientation" + std::to_string(GetParam()) + ".avif"));
  ASSERT_TRUE(image.ok()) << image.error().message;
  const Image expected = test::picture_pixels("orientation1.avif");
  ASSERT_EQ(image->width, expected.width);
  ASSERT_EQ(image->height, expected.height);
  const double right = test::difference(*image, expected).mean;
  for (const int other : {2, 3, 4}) EXPECT_LT(right * 4, test::difference(*image, upright(Image(expected), other)).mean) << other;
}

TEST(HeicOrientation, ExifAloneDoesNotTurn) {
  const auto image = decode_image(test::picture_bytes("exif_orientation.heic"));
  ASSERT_TRUE(image.ok()) << image.error().message;
  EXPECT_EQ(image->width, test::picture_pixels("exif_orientation.heic").width);
}

// The corner that Exif 2.32 says becomes the upper left one.
TEST(Upright, PutsTheFirstRowAndColumnWhereExifSays) {
  Image stored(3, 2);
  for (int i = 0; i < 6; ++i) stored.pixels[static_cast<std::size_t>(i) * 3] = static_cast<std::uint8_t>(i);
  const std::array<std::vector<int>, 9> expected{{{},
                                                  {0, 1, 2, 3, 4, 5},
                                                  {2, 1, 0, 5, 4, 3},
                                                  {5, 4, 3, 2, 1, 0},
                                                  {3, 4, 5, 0, 1, 2},
                                                  {0, 3, 1, 4, 2, 5},
                                                  {3, 0, 4, 1, 5, 2},
                                                  {5, 2, 4, 1, 3, 0},
                                                  {2, 5, 1, 4, 0, 3}}};
  for (int orientation = 1; orientation <= 8; ++orientation) {
    const Image out = upright(Image(stored), orientation);
    EXPECT_EQ(out.width, orientation >= 5 ? 2 : 3);
    for (std::size_t i = 0; i < 6; ++i) {
      EXPECT_EQ(out.pixels[i * 3], expected[static_cast<std::size_t>(orientation)][i]) << orientation << " " << i;
    }
  }
}

TEST(Exif, NonsenseIsUpright) {
  EXPECT_EQ(exif_orientation(bytes_of(tiff_block(true, 3, 6))), 6);
  EXPECT_EQ(exif_orientation(bytes_of(tiff_block(false, 3, 9))), 1);
  EXPECT_EQ(exif_orientation(bytes_of(tiff_block(false, 3, 0))), 1);
  EXPECT_EQ(exif_orientation({}), 1);
  EXPECT_EQ(exif_orientation(bytes_of("Exif")), 1);
  EXPECT_EQ(exif_orientation(bytes_of(tiff_block(false, 3, 6).substr(0, 20))), 1);
  std::string far = tiff_block(false, 3, 6);
  far.replace(4, 4, "\xFF\xFF\xFF\xFF");  // the directory at the end of memory
  EXPECT_EQ(exif_orientation(bytes_of(far)), 1);
}

}  // namespace
}  // namespace fovea
