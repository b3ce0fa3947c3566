// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <filesystem>
#include <map>

#include "image/decode.h"
#include "support/paths.h"

namespace fovea {
namespace {

namespace fs = std::filesystem;

// As published: PNG and GIF data under a .jpg name, an RGBA picture, Exif segments, 158x94 to over 4000 pixels.
TEST(RealPhotos, EveryOneDecodesWhateverItsName) {
  FOVEA_NEEDS_SHARED("data/weather");
  std::map<ImageFormat, int> formats;
  for (const auto& entry : fs::recursive_directory_iterator(test::shared_path("data/weather/val"))) {
    if (!entry.is_regular_file()) continue;
    const auto image = load_image(entry.path(), {.shorter_side_needed = 64});
    EXPECT_TRUE(image.ok()) << image.error().message;
  }
  for (const auto& entry : fs::recursive_directory_iterator(test::shared_path("data/weather"))) {
    if (!entry.is_regular_file()) continue;
    const auto bytes = read_file(entry.path(), std::size_t{64} << 20);
    ASSERT_TRUE(bytes.ok()) << bytes.error().message;
    const auto info = read_image_info(*bytes);
    ASSERT_TRUE(info.ok()) << entry.path() << ": " << info.error().message;
    if (info->format == ImageFormat::kJpeg) {
      ++formats[info->format];
      continue;
    }
    const auto image = decode_image(*bytes);
    ASSERT_TRUE(image.ok()) << entry.path() << ": " << image.error().message;
    EXPECT_EQ(image->width, info->width);
    ++formats[info->format];
  }
  EXPECT_GT(formats[ImageFormat::kJpeg], 800);
  EXPECT_GT(formats[ImageFormat::kPng], 0);
  EXPECT_GT(formats[ImageFormat::kGif], 0);
}

TEST(RealPhotos, WhatIsNoPictureIsNamed) {
  FOVEA_NEEDS_SHARED("data/bad");
  int count = 0;
  for (const auto& entry : fs::directory_iterator(test::shared_path("data/bad"))) {
    const auto image = load_image(entry.path());
    ASSERT_FALSE(image.ok());
    EXPECT_EQ(image.error().kind, Error::Kind::kFormat);
    EXPECT_EQ(image.error().message.find('\n'), std::string::npos);
    EXPECT_TRUE(image.error().message.starts_with(entry.path().string())) << image.error().message;
    ++count;
  }
  EXPECT_GT(count, 0);
}

}  // namespace
}  // namespace fovea
