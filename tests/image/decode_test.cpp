// SPDX-License-Identifier: Apache-2.0
#include "image/decode.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <span>
#include <string>
#include <vector>

#include "image/encode.h"
#include "image/pictures.h"
#include "image/resize.h"
#include "support/paths.h"

namespace fovea {
namespace {

using test::picture_bytes;
using test::picture_pixels;

struct Kind {
  std::string name;
  ImageFormat format;
  int levels = 0;  // allowed difference on any sample
};

void PrintTo(const Kind& kind, std::ostream* out) { *out << kind.name; }

class DecodeKind : public testing::TestWithParam<Kind> {};

TEST_P(DecodeKind, GivesTheExpectedPixels) {
  const auto& [name, format, levels] = GetParam();
  const auto bytes = picture_bytes(name);
  const Image expected = picture_pixels(name);

  const auto sniffed = sniff(bytes);
  ASSERT_TRUE(sniffed.ok()) << sniffed.error().message;
  EXPECT_EQ(*sniffed, format);

  const auto info = read_image_info(bytes);
  ASSERT_TRUE(info.ok()) << info.error().message;
  EXPECT_EQ(info->format, format);
  EXPECT_EQ(info->width, expected.width);
  EXPECT_EQ(info->height, expected.height);

  const auto image = decode_image(bytes);
  ASSERT_TRUE(image.ok()) << image.error().message;
  ASSERT_EQ(image->width, expected.width);
  ASSERT_EQ(image->height, expected.height);
  EXPECT_LE(test::difference(*image, expected).max, levels);
}

// A picture cut anywhere before its last tenth has lost pixels: that is an error, never grey or black.
TEST_P(DecodeKind, RefusesTruncatedData) {
  const auto bytes = picture_bytes(GetParam().name);
  for (std::size_t tenths = 0; tenths < 9; ++tenths) {
    const auto cut = Bytes(bytes).first(bytes.size() * tenths / 10);
    const auto image = decode_image(cut);
    ASSERT_FALSE(image.ok()) << cut.size() << " of " << bytes.size() << " bytes";
    EXPECT_EQ(image.error().kind, Error::Kind::kFormat) << image.error().message;
  }
}

TEST_P(DecodeKind, KeepsItsLimits) {
  const auto bytes = picture_bytes(GetParam().name);
  const Image expected = picture_pixels(GetParam().name);
  const std::int64_t pixels = std::int64_t{expected.width} * expected.height;
  EXPECT_TRUE(decode_image(bytes, {.max_pixels = pixels}).ok());
  EXPECT_EQ(decode_image(bytes, {.max_pixels = pixels - 1}).error().kind, Error::Kind::kLimit);
  EXPECT_EQ(read_image_info(bytes, {.max_pixels = pixels - 1}).error().kind, Error::Kind::kLimit);
  EXPECT_EQ(decode_image(bytes, {.max_bytes = bytes.size() - 1}).error().kind, Error::Kind::kLimit);
}

std::string test_name(const testing::TestParamInfo<Kind>& info) {
  std::string name = info.param.name;
  std::ranges::replace(name, '.', '_');
  return name;
}

std::vector<Kind> kinds(ImageFormat format, std::initializer_list<const char*> names, int levels = 0) {
  std::vector<Kind> all;
  for (const char* name : names) all.push_back({name, format, levels});
  return all;
}

INSTANTIATE_TEST_SUITE_P(Jpeg, DecodeKind,
                         testing::ValuesIn(kinds(ImageFormat::kJpeg,
                                                 {"444.jpg", "422.jpg", "420.jpg", "440.jpg", "411.jpg", "rgb.jpg",
                                                  "arithmetic.jpg", "restart.jpg", "progressive.jpg", "grey.jpg", "cmyk.jpg"})),
                         test_name);
INSTANTIATE_TEST_SUITE_P(Png, DecodeKind,
                         testing::ValuesIn(kinds(ImageFormat::kPng,
                                                 {"rgb.png", "rgba.png", "grey.png", "grey_alpha.png", "bits1.png", "palette.png",
                                                  "palette4.png", "palette_alpha.png", "colour_key.png", "grey16.png",
                                                  "rgb16.png", "rgba16.png", "gamma.png"})),
                         test_name);

INSTANTIATE_TEST_SUITE_P(Webp, DecodeKind,
                         testing::ValuesIn(kinds(ImageFormat::kWebp,
                                                 {"lossy.webp", "lossless.webp", "alpha.webp", "animated.webp"})),
                         test_name);
INSTANTIATE_TEST_SUITE_P(Gif, DecodeKind,
                         testing::ValuesIn(kinds(ImageFormat::kGif,
                                                 {"still.gif", "animated.gif", "interlaced.gif", "transparent.gif"})),
                         test_name);
INSTANTIATE_TEST_SUITE_P(Tiff, DecodeKind,
                         testing::ValuesIn(kinds(ImageFormat::kTiff,
                                                 {"raw.tif", "tiff_lzw.tif", "tiff_adobe_deflate.tif", "packbits.tif", "grey.tif",
                                                  "grey16.tif", "palette.tif", "bits1.tif", "rgba.tif", "pages.tif", "jpeg.tif",
                                                  "rgb16.tif", "rgba16.tif", "white_is_zero.tif", "white_is_zero16.tif",
                                                  "cmyk.tif"})),
                         test_name);
INSTANTIATE_TEST_SUITE_P(Bmp, DecodeKind,
                         testing::ValuesIn(kinds(ImageFormat::kBmp,
                                                 {"rgb.bmp", "grey.bmp", "bits1.bmp", "palette.bmp", "top_down.bmp", "bits32.bmp",
                                                  "bits16.bmp", "bits565.bmp", "bits4.bmp", "rle8.bmp"})),
                         test_name);
INSTANTIATE_TEST_SUITE_P(Heif, DecodeKind, testing::ValuesIn(kinds(ImageFormat::kHeif, {"photo.heic", "alpha.heic"})), test_name);
// One level: libheif and the library behind Pillow round YCbCr to RGB each in its own way.
INSTANTIATE_TEST_SUITE_P(Avif, DecodeKind, testing::ValuesIn(kinds(ImageFormat::kAvif, {"photo.avif"}, 1)), test_name);

TEST(Decode, SaysWhatItGot) {
  const auto text = std::as_bytes(std::span("hello\nworld, no picture", 23));
  const auto image = decode_image(text);
  ASSERT_FALSE(image.ok());
  EXPECT_EQ(image.error().kind, Error::Kind::kFormat);
  EXPECT_THAT(image.error().message, testing::HasSubstr("hello\\x0aworld"));
  EXPECT_THAT(image.error().message, testing::HasSubstr("JPEG"));
  EXPECT_EQ(decode_image({}).error().kind, Error::Kind::kFormat);
}

TEST(Decode, AFileIsNamedInItsError) {
  const test::TemporaryFolder folder;
  ASSERT_TRUE(write_file_atomically(folder / "a.jpg", "no picture").ok());
  EXPECT_THAT(load_image(folder / "a.jpg").error().message, testing::StartsWith((folder / "a.jpg").string() + ": "));
  EXPECT_EQ(load_image(folder / "none.jpg").error().kind, Error::Kind::kNotFound);
}

TEST(Encode, PngKeepsEveryPixel) {
  const Image card = test::test_card(33, 21);
  const auto image = decode_image(encode_png(card));
  ASSERT_TRUE(image.ok()) << image.error().message;
  EXPECT_EQ(image->pixels, card.pixels);
}

// At quality 100 every quantiser step is 1, so a coefficient is off by at most 1/2. The inverse transform of 64 such
// errors, each of variance 1/12, has that variance too; colour conversion weighs it by less than 1.8. Six deviations.
TEST(Encode, JpegAtFullQualityIsCloseToItsSource) {
  const Image card = resize(test::test_card(16, 16), 64, 48, Filter::kBicubic);
  const auto image = decode_image(encode_jpeg(card, 100));
  ASSERT_TRUE(image.ok()) << image.error().message;
  EXPECT_LE(test::difference(*image, card).max, 4);
}

TEST(Encode, QualityTradesBytes) {
  const Image card = test::test_card(64, 64);
  EXPECT_LT(encode_jpeg(card, 30).size(), encode_jpeg(card, 95).size());
}

}  // namespace
}  // namespace fovea
