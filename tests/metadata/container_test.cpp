// SPDX-License-Identifier: Apache-2.0
#include "metadata/container.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>

#include "image/byte_order.h"
#include "image/decode.h"
#include "image/raw_files.h"
#include "support/paths.h"

namespace fovea::metadata {
namespace {

namespace fs = std::filesystem;
using namespace std::string_literals;
using namespace std::string_view_literals;

std::string bytes_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string picture(std::string_view name) { return bytes_of(test::test_data("image/data/pictures") / name); }

std::string packet(std::string_view word = "cloudy") {
  const std::string empty = empty_packet();
  const auto splices = add_tags(empty, {{std::string(word)}, {}, {}}, {}, {"m", "d", {}});
  return std::string(as_text(*spliced(as_bytes(empty), *splices)));
}

/// Embeds, and checks what must hold for every file: the packet is found again, the pixels are the same, and the change
/// can be taken back.
std::string embedded(const std::string& old, const std::string& xmp) {
  const auto splices = embed_xmp(as_bytes(old), xmp);
  EXPECT_TRUE(splices.ok()) << splices.error().message;
  if (!splices) return {};
  const auto bytes = spliced(as_bytes(old), *splices);
  EXPECT_TRUE(bytes.ok());
  EXPECT_EQ(as_text(find_blocks(*bytes).xmp), xmp);
  const auto before = decode_image(as_bytes(old));
  const auto after = decode_image(*bytes);
  EXPECT_TRUE(before.ok() && after.ok());
  EXPECT_EQ(before->pixels, after->pixels);
  EXPECT_EQ(as_text(*spliced(*bytes, inverse(as_bytes(old), *splices))), old);
  return std::string(as_text(*bytes));
}

TEST(Container, EveryPictureThatCanHoldXmpTakesItTwice) {
  int count = 0;
  for (const auto& entry : fs::directory_iterator(test::test_data("image/data/pictures"))) {
    const std::string old = bytes_of(entry.path());
    const auto format = sniff(as_bytes(old));
    if (!format || !decode_image(as_bytes(old)).ok()) continue;
    if (*format != ImageFormat::kJpeg && *format != ImageFormat::kPng && *format != ImageFormat::kWebp &&
        *format != ImageFormat::kTiff && *format != ImageFormat::kHeif && *format != ImageFormat::kAvif)
      continue;
    SCOPED_TRACE(entry.path().string());
    const std::string once = embedded(old, packet());
    const std::string twice = embedded(once, packet("a longer word than before"));
    EXPECT_EQ(read_metadata(as_bytes(twice)).marked, true);
    ++count;
  }
  EXPECT_GE(count, 40);
}

TEST(Container, OtherFormatsAreRefused) {
  for (const char* name : {"still.gif", "rgb.bmp"}) EXPECT_FALSE(embed_xmp(as_bytes(picture(name)), packet()).ok()) << name;
}

TEST(Container, HeicTellsItsExif) {
  const std::string file = picture("exif_orientation.heic");
  const Blocks blocks = find_blocks(as_bytes(file));
  ASSERT_FALSE(blocks.exif.empty());
  EXPECT_TRUE(as_text(blocks.exif).starts_with("II*") || as_text(blocks.exif).starts_with("MM"))
      << as_text(blocks.exif).substr(0, 8);
}

TEST(Container, HeicWithBoxesThatMayCountFromTheBeginningIsLeftAlone) {
  const std::string photo = picture("photo.heic");
  for (const std::string& more : {"\0\0\0\x0Cmoov\0\0\0\0"s, "\0\0\0\x0Cwhat\0\0\0\0"s, "trailer"s}) {
    const auto splices = embed_xmp(as_bytes(photo + more), packet());
    ASSERT_FALSE(splices.ok());
    EXPECT_EQ(splices.error().kind, Error::Kind::kUnsupported);
  }
  embedded(photo + "\0\0\0\x0Cmpvd\0\0\0\0"s, packet());
}

TEST(Container, XmpGoesBehindExifInAJpeg) {
  const std::string plain = picture("rgb.jpg");
  const std::string exif = "\xFF\xE1\0\x10"s + "Exif\0\0II*\0\x08\0\0\0"s;
  const std::string out = embedded(plain.substr(0, 2) + exif + plain.substr(2), packet());
  EXPECT_EQ(out.substr(2, exif.size()), exif);
}

TEST(Container, WhatFollowsAJpegIsKept) {
  const std::string video = "\0\0\0\x18"s + "ftypmp42" + std::string(1000, 'v');
  const std::string old = picture("progressive.jpg") + video;
  const std::string out = embedded(old, packet());
  EXPECT_TRUE(out.ends_with(video));
}

TEST(Container, ASecondPictureThatNothingListsIsNotMoved) {
  const std::string old = picture("rgb.jpg") + picture("grey.jpg");
  const auto splices = embed_xmp(as_bytes(old), packet());
  ASSERT_FALSE(splices.ok());
  EXPECT_EQ(splices.error().kind, Error::Kind::kUnsupported);
}

TEST(Container, AJpegSegmentHoldsNoMore) {
  const auto splices = embed_xmp(as_bytes(picture("rgb.jpg")), std::string(65535, 'x'));
  ASSERT_FALSE(splices.ok());
  EXPECT_EQ(splices.error().kind, Error::Kind::kLimit);
}

/// A JPEG with a list of two pictures (MPF), the second behind the first; XMP in front of the list, behind it, or none.
struct MultiPicture {
  std::string file;
  std::string second;
};
MultiPicture multi_picture(bool xmp_in_front, bool xmp_behind) {
  const auto u32 = [](std::size_t v) {
    std::string text;
    for (const unsigned shift : {24U, 16U, 8U, 0U}) text += static_cast<char>(v >> shift);
    return text;
  };
  const std::string first = picture("rgb.jpg");
  MultiPicture made;
  made.second = picture("grey.jpg");
  const std::string xmp_text = "http://ns.adobe.com/xap/1.0/\0"s + packet("old");
  const std::string xmp =
      "\xFF\xE1"s + static_cast<char>((xmp_text.size() + 2) >> 8U) + static_cast<char>(xmp_text.size() + 2) + xmp_text;
  const std::string front = xmp_in_front ? xmp : "";
  const std::string behind = xmp_behind ? xmp : "";
  constexpr std::size_t kMpfSize = 4 + 8 + 2 + 12 + 4 + 32;  // with its name
  const std::size_t base = 2 + front.size() + 4 + 4;
  const std::size_t total = first.size() + front.size() + behind.size() + 4 + kMpfSize;
  std::string mpf = "\xFF\xE2\0"s + static_cast<char>(kMpfSize + 2) + "MPF\0MM\0*"s + u32(8) + "\0\x01"s + "\xB0\x02\0\x07"s +
                    u32(32) + u32(26) + u32(0);
  mpf += u32(0x030000) + u32(total) + u32(0) + u32(0) + u32(0) + u32(made.second.size()) + u32(total - base) + u32(0);
  made.file = first.substr(0, 2) + front + mpf + behind + first.substr(2) + made.second;
  return made;
}

TEST(Container, TheListOfFurtherPicturesStaysRight) {
  for (const auto& [front, behind] : {std::pair(false, false), std::pair(true, false), std::pair(false, true)}) {
    const MultiPicture old = multi_picture(front, behind);
    const std::string out = embedded(old.file, packet("a word that changes the size of the packet"));
    const std::size_t base = out.find("MPF\0MM"s) + 4;
    const Bytes mpf = as_bytes(out).subspan(base);
    const std::size_t first_size = read_uint(mpf, 26 + 4, 4, ByteOrder::kBig);
    const std::size_t second_size = read_uint(mpf, 26 + 16 + 4, 4, ByteOrder::kBig);
    const std::size_t second_at = base + read_uint(mpf, 26 + 16 + 8, 4, ByteOrder::kBig);
    EXPECT_EQ(first_size, out.size() - old.second.size());
    EXPECT_EQ(out.substr(second_at, second_size), old.second);
  }
}

TEST(Container, AListThatPointsNowhereIsRefused) {
  MultiPicture old = multi_picture(false, false);
  old.file.resize(old.file.size() - 5);
  EXPECT_FALSE(embed_xmp(as_bytes(old.file), packet()).ok());
}

TEST(Container, DamagedFilesAreRefusedOrHarmless) {
  for (const char* name : {"rgb.jpg", "rgb.png", "lossy.webp", "alpha.webp", "raw.tif", "photo.heic"}) {
    const std::string old = picture(name);
    for (std::size_t size = 0; size < old.size(); size += 1 + old.size() / 200) {
      const auto splices = embed_xmp(as_bytes(old).first(size), packet());
      if (splices) {
        EXPECT_TRUE(spliced(as_bytes(old).first(size), *splices).ok()) << name << size;
      }
      (void)read_metadata(as_bytes(old).first(size));
    }
  }
}

// Canon's description is a TIFF structure in a box; Fujifilm's stands in the JPEG.
TEST(Container, RawPhotosTellWhenTheyWereTaken) {
  const std::string canon = raw_files::cr3(1, raw_files::picture("grey.jpg"));
  EXPECT_EQ(read_metadata(as_bytes(canon)).facts.taken, "2026-10-04T12:30:00");
  EXPECT_EQ(read_metadata(as_bytes(canon)).facts.camera, "Canon");
  const std::string exif = "Exif\0\0"s + raw_files::description(1);
  const std::string size{static_cast<char>((exif.size() + 2) >> 8U), static_cast<char>(exif.size() + 2)};
  const std::string fuji = raw_files::raf(raw_files::picture("grey.jpg").insert(2, "\xFF\xE1" + size + exif));
  EXPECT_EQ(read_metadata(as_bytes(fuji)).facts.taken, "2026-10-04T12:30:00");
}

}  // namespace
}  // namespace fovea::metadata
