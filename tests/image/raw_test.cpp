// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <string>

#include "image/decode.h"
#include "image/raw_files.h"

namespace fovea {
namespace {

using namespace raw_files;

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

TEST(Raw, EveryMakersWayToItsPreview) {
  const std::string jpeg = picture("rgb.jpg");
  const Image plain = *decode_image(bytes_of(jpeg));
  const std::string upright[] = {raf(jpeg), cr3(1, jpeg), crw(0, jpeg), x3f(jpeg)};
  for (const std::string& file : upright) {
    const auto image = decode_image(bytes_of(file));
    ASSERT_TRUE(image.ok()) << file.substr(0, 16) << ": " << image.error().message;
    EXPECT_EQ(image->pixels, plain.pixels) << file.substr(0, 16);
  }
  const std::string turned[] = {
      orf("OLYMPUS\0II\3\0"s, jpeg), orf("OM SYSTEM\0\0\0II\4\0"s, jpeg), pef(jpeg), mrw(jpeg), cr3(6, jpeg), crw(90, jpeg)};
  for (const std::string& file : turned) {
    const auto image = decode_image(bytes_of(file));
    ASSERT_TRUE(image.ok()) << file.substr(0, 16) << ": " << image.error().message;
    EXPECT_EQ(image->width, plain.height) << file.substr(0, 16);
    EXPECT_EQ(image->height, plain.width) << file.substr(0, 16);
  }
}

TEST(Raw, BrokenOnesAreErrors) {
  const std::string jpeg = picture("grey.jpg");
  for (const std::string& file : {raf(jpeg), cr3(6, jpeg), crw(90, jpeg), x3f(jpeg), mrw(jpeg), orf("OLYMPUS\0II\3\0"s, jpeg)}) {
    for (std::size_t size = 16; size + jpeg.size() / 2 < file.size(); size += 5) {
      EXPECT_FALSE(decode_image(bytes_of(file.substr(0, size))).ok()) << file.substr(0, 16) << ", " << size;
    }
  }
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
