// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>

#include "image/decode.h"
#include "support/paths.h"

namespace fovea {
namespace {

using namespace std::string_literals;

std::string picture(std::string_view name) {
  std::ifstream file(test::test_data("image/data/pictures") / name, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

Bytes bytes_of(const std::string& text) { return std::as_bytes(std::span(text)); }

std::string u16(std::size_t v) { return {static_cast<char>(v), static_cast<char>(v >> 8U)}; }
std::string u32(std::size_t v) { return u16(v & 0xFFFFU) + u16(v >> 16U); }
std::string u32_big(std::size_t v) {
  return {static_cast<char>(v >> 24U), static_cast<char>(v >> 16U), static_cast<char>(v >> 8U), static_cast<char>(v)};
}
std::string entry(std::size_t tag, std::size_t type, std::size_t value) { return u16(tag) + u16(type) + u32(1) + u32(value); }

/// A DNG as cameras write them: a small preview by offset and size in front, raw data, and a larger preview in a directory below.
std::string dng(std::size_t orientation, const std::string& small, const std::string& large) {
  const std::size_t below = 8 + 2 + 6 * 12 + 4;
  const std::size_t small_at = below + 2 + 4 * 12 + 4;
  const std::size_t large_at = small_at + small.size();
  std::string text = "II*\0"s + u32(8) + u16(6);
  text += entry(262, 3, 32803) + entry(274, 3, orientation) + entry(330, 4, below) + entry(513, 4, small_at) +
          entry(514, 4, small.size()) + entry(50706, 4, 1) + u32(0);
  text += u16(4) + entry(259, 3, 7) + entry(262, 3, 6) + entry(273, 4, large_at) + entry(279, 4, large.size()) + u32(0);
  return text + small + large;
}

TEST(Raw, TheLargestPreviewIsThePicture) {
  const std::string jpeg = picture("rgb.jpg");
  const std::string small = picture("grey.jpg");
  ASSERT_GT(jpeg.size(), small.size());
  const std::string file = dng(1, small, jpeg);
  const auto format = sniff(bytes_of(file));
  ASSERT_TRUE(format.ok());
  EXPECT_EQ(*format, ImageFormat::kRaw);
  const auto image = decode_image(bytes_of(file));
  ASSERT_TRUE(image.ok()) << image.error().message;
  EXPECT_EQ(image->pixels, decode_image(bytes_of(jpeg))->pixels);
}

TEST(Raw, TheFileSaysHowItIsTurned) {
  const std::string jpeg = picture("rgb.jpg");
  const auto plain = decode_image(bytes_of(jpeg));
  const auto turned = decode_image(bytes_of(dng(6, "", jpeg)));
  ASSERT_TRUE(turned.ok()) << turned.error().message;
  EXPECT_EQ(turned->width, plain->height);
  EXPECT_EQ(turned->height, plain->width);
}

TEST(Raw, FujifilmsAndCanons) {
  const std::string jpeg = picture("rgb.jpg");
  const auto expected = decode_image(bytes_of(jpeg))->pixels;
  const std::string raf =
      "FUJIFILMCCD-RAW 0201"s + std::string(64, '\0') + u32_big(120) + u32_big(jpeg.size()) + std::string(28, '\0') + jpeg;
  ASSERT_TRUE(decode_image(bytes_of(raf)).ok()) << decode_image(bytes_of(raf)).error().message;
  EXPECT_EQ(decode_image(bytes_of(raf))->pixels, expected);
  const std::string preview = "\xEA\xF4\x2B\x5E\x1C\x98\x4B\x88\xB9\xFB\xB7\xDC\x40\x6E\x4D\x16"s + std::string(24, '\0') + jpeg;
  const std::string cr3 = u32_big(16) + "ftypcrx \0\0\0\1"s + u32_big(8 + preview.size()) + "uuid" + preview;
  ASSERT_TRUE(decode_image(bytes_of(cr3)).ok()) << decode_image(bytes_of(cr3)).error().message;
  EXPECT_EQ(decode_image(bytes_of(cr3))->pixels, expected);
}

TEST(Raw, OrdinaryTiffsAreNone) {
  for (const char* name : {"raw.tif", "jpeg.tif", "rgb16.tif"})
    EXPECT_EQ(*sniff(bytes_of(picture(name))), ImageFormat::kTiff) << name;
}

TEST(Raw, WithoutAPreviewTheReasonIsSaid) {
  const auto image = decode_image(bytes_of(dng(1, "", "no JPEG")));
  ASSERT_FALSE(image.ok());
  EXPECT_EQ(image.error().kind, Error::Kind::kUnsupported);
  const std::string file = dng(1, picture("grey.jpg"), picture("rgb.jpg"));
  for (std::size_t size = 0; size < file.size(); size += 7) static_cast<void>(decode_image(bytes_of(file).first(size)));
}

}  // namespace
}  // namespace fovea
