// SPDX-License-Identifier: Apache-2.0
// What JPEG decoding forgives, and what it refuses, beyond the kinds of decode_test.cpp.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <span>
#include <vector>

#include "image/decode.h"
#include "image/encode.h"
#include "image/libjpeg.h"
#include "image/pictures.h"

namespace fovea {
namespace {

using Data = std::vector<std::byte>;

// Where the segment with this marker starts: the `last` one, or the first.
std::ptrdiff_t find_marker(const Data& jpeg, unsigned marker, bool last = false) {
  const std::array<std::byte, 2> bytes{std::byte{0xFF}, static_cast<std::byte>(marker)};
  const auto found = last ? std::find_end(jpeg.begin(), jpeg.end(), bytes.begin(), bytes.end())
                          : std::search(jpeg.begin(), jpeg.end(), bytes.begin(), bytes.end());
  EXPECT_NE(found, jpeg.end());
  return found - jpeg.begin();
}

// Some cameras' streams leave the end marker out. No pixel is missing.
TEST(Jpeg, AMissingEndMarkerIsForgiven) {
  Data jpeg = test::picture_bytes("420.jpg");
  jpeg.resize(jpeg.size() - 2);
  const auto image = decode_image(jpeg);
  ASSERT_TRUE(image.ok()) << image.error().message;
  EXPECT_EQ(image->pixels, test::picture_pixels("420.jpg").pixels);
}

TEST(Jpeg, BytesBetweenSegmentsAreForgiven) {
  Data jpeg = test::picture_bytes("420.jpg");
  jpeg.insert(jpeg.begin() + find_marker(jpeg, 0xDB), 5, std::byte{0x11});
  const auto image = decode_image(jpeg);
  ASSERT_TRUE(image.ok()) << image.error().message;
  EXPECT_EQ(image->pixels, test::picture_pixels("420.jpg").pixels);
}

TEST(Jpeg, AMissingScanIsTruncation) {
  Data jpeg = test::picture_bytes("progressive.jpg");
  jpeg.resize(static_cast<std::size_t>(find_marker(jpeg, 0xDA, true)));
  const auto image = decode_image(jpeg);
  ASSERT_FALSE(image.ok());
  EXPECT_THAT(image.error().message, testing::HasSubstr("truncated"));
}

TEST(Jpeg, EndlessScansAreRefused) {
  Data jpeg = test::picture_bytes("progressive.jpg");
  // The first scan, of DC coefficients, means the same however often it comes. It ends at the next marker: an FF without a 0.
  const auto start = jpeg.begin() + find_marker(jpeg, 0xDA);
  const auto end = std::adjacent_find(start + 2, jpeg.end(),
                                      [](std::byte a, std::byte b) { return a == std::byte{0xFF} && b != std::byte{0}; });
  const Data scan(start, end);
  const std::ptrdiff_t at = end - jpeg.begin();
  for (int i = 0; i < 150; ++i) jpeg.insert(jpeg.begin() + at, scan.begin(), scan.end());
  const auto image = decode_image(jpeg);
  ASSERT_FALSE(image.ok());
  EXPECT_THAT(image.error().message, testing::HasSubstr("scans"));
}

TEST(Jpeg, AShortFileCannotClaimAHugePicture) {
  Data jpeg = test::picture_bytes("444.jpg");
  const auto size = static_cast<std::size_t>(find_marker(jpeg, 0xC0)) + 5;  // height and width, 16 bits each
  for (const std::size_t i : {0U, 2U}) jpeg[size + i] = std::byte{0x3A};
  const auto info = read_image_info(jpeg);
  ASSERT_FALSE(info.ok());
  EXPECT_EQ(info.error().kind, Error::Kind::kFormat);
  EXPECT_THAT(info.error().message, testing::HasSubstr("cannot hold"));
}

// A flat picture of inverted CMYK, as Adobe's programs write it, stored as YCCK.
Data ycck(std::array<std::uint8_t, 4> ink, int side) {
  jpeg_compress_struct info{};
  jpeg_error_mgr errors{};
  unsigned char* bytes = nullptr;
  unsigned long size = 0;
  info.err = jpeg_std_error(&errors);
  jpeg_create_compress(&info);
  jpeg_mem_dest(&info, &bytes, &size);
  info.image_width = info.image_height = static_cast<JDIMENSION>(side);
  info.input_components = 4;
  info.in_color_space = JCS_CMYK;
  jpeg_set_defaults(&info);
  jpeg_set_colorspace(&info, JCS_YCCK);
  jpeg_set_quality(&info, 100, TRUE);
  jpeg_start_compress(&info, TRUE);
  std::vector<std::uint8_t> row;
  for (int x = 0; x < side; ++x) row.insert(row.end(), ink.begin(), ink.end());
  JSAMPROW start = row.data();
  for (int y = 0; y < side; ++y) jpeg_write_scanlines(&info, &start, 1);
  jpeg_finish_compress(&info);
  jpeg_destroy_compress(&info);
  const auto view = std::as_bytes(std::span(bytes, size));
  Data out(view.begin(), view.end());
  std::free(bytes);
  return out;
}

// Each of the four stored components is off by at most 1/2 from rounding and 1/2 from its quantiser (step 1, one
// coefficient); conversion to CMY weighs those of Y, Cb and Cr by 1 and at most 1.78, and rounds twice more.
TEST(Jpeg, YcckIsInkOnWhite) {
  for (const auto& ink :
       {std::array<std::uint8_t, 4>{255, 255, 255, 255}, {200, 100, 50, 255}, {255, 30, 90, 128}, {10, 20, 30, 0}}) {
    const auto image = decode_image(ycck(ink, 16));
    ASSERT_TRUE(image.ok()) << image.error().message;
    for (std::size_t i = 0; i < 3; ++i) EXPECT_NEAR(image->pixels[i], ink[i] * ink[3] / 255.0, 5);
  }
}

}  // namespace
}  // namespace fovea
