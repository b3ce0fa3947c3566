// SPDX-License-Identifier: Apache-2.0
#include "metadata/facts.h"

#include <gtest/gtest.h>

#include "metadata/splice.h"

namespace fovea::metadata {
namespace {

using namespace std::string_literals;
using namespace std::string_view_literals;

TEST(Facts, DatesInEveryForm) {
  EXPECT_EQ(normal_date("2019:06:30 18:22:05"), "2019-06-30T18:22:05");
  EXPECT_EQ(normal_date("2019-06-30T18:22:05.12+02:00"), "2019-06-30T18:22:05");
  EXPECT_EQ(normal_date("2019-06-30"), "2019-06-30");
  EXPECT_EQ(normal_date("2019"), "2019");
  EXPECT_EQ(normal_date("0000:00:00 00:00:00"), "");
  EXPECT_EQ(normal_date("    :  :     :  :  "), "");
  EXPECT_EQ(normal_date("2019:00:00 00:00:00"), "");
  EXPECT_EQ(normal_date("yesterday"), "");
}

TEST(Facts, CamerasSayTheirMakerOnce) {
  EXPECT_EQ(camera_name("Canon", "Canon EOS 5D"), "Canon EOS 5D");
  EXPECT_EQ(camera_name("NIKON CORPORATION", "NIKON D90"), "NIKON D90");
  EXPECT_EQ(camera_name("Google ", "Pixel 7\0"sv), "Google Pixel 7");
  EXPECT_EQ(camera_name("", "X"), "X");
  EXPECT_EQ(camera_name("Leica", ""), "Leica");
}

/// Exif by hand, little endian: maker, model, XPKeywords "sea;é", date, 33°51'30" S 151°12' E.
std::string exif() {
  const auto u16 = [](unsigned v) { return std::string{static_cast<char>(v), static_cast<char>(v >> 8U)}; };
  const auto u32 = [&](unsigned v) { return u16(v & 0xFFFFU) + u16(v >> 16U); };
  const auto entry = [&](unsigned tag, unsigned type, unsigned count, const std::string& value) {
    return u16(tag) + u16(type) + u32(count) + value;
  };
  const unsigned exif_at = 8 + 2 + 5 * 12 + 4;
  const unsigned gps_at = exif_at + 2 + 12 + 4;
  const unsigned data_at = gps_at + 2 + 4 * 12 + 4;
  std::string text = "II*"s + '\0' + u32(8) + u16(5);
  text += entry(0x010F, 2, 4, "Aco\0"s) + entry(0x0110, 2, 3, "Z1\0\0"s);
  text += entry(0x8769, 4, 1, u32(exif_at)) + entry(0x8825, 4, 1, u32(gps_at)) + entry(0x9C9E, 1, 12, u32(data_at)) + u32(0);
  text += u16(1) + entry(0x9003, 2, 20, u32(data_at + 12)) + u32(0);
  text += u16(4) + entry(1, 2, 2, "S\0\0\0"s) + entry(2, 5, 3, u32(data_at + 32)) + entry(3, 2, 2, "E\0\0\0"s) +
          entry(4, 5, 3, u32(data_at + 56)) + u32(0);
  text += "s\0e\0a\0;\0\xE9\0\0\0"s + "2021:02:03 04:05:06\0"s;
  for (const unsigned n : {33U, 51U, 30U, 151U, 12U, 0U}) text += u32(n) + u32(1);
  return text;
}

TEST(Facts, ExifSaysWhenWhereAndWithWhat) {
  const std::string bytes = exif();
  const Facts facts = read_exif(as_bytes(bytes));
  EXPECT_EQ(facts.taken, "2021-02-03T04:05:06");
  EXPECT_EQ(facts.camera, "Aco Z1");
  ASSERT_TRUE(facts.place.has_value());
  EXPECT_DOUBLE_EQ(facts.place->latitude, -(33 + 51.0 / 60 + 30.0 / 3600));
  EXPECT_DOUBLE_EQ(facts.place->longitude, 151.2);
  EXPECT_EQ(facts.keywords, (std::vector<std::string>{"sea", "\xC3\xA9"}));
}

TEST(Facts, ExifCutShortSaysLess) {
  const std::string bytes = exif();
  for (std::size_t size = 0; size < bytes.size(); ++size) (void)read_exif(as_bytes(bytes).first(size));
  EXPECT_EQ(read_exif(as_bytes(bytes).first(20)).camera, "");
}

TEST(Facts, IptcKeywordsInEitherCharacterSet) {
  std::string records =
      "\x1C\x02\x19\0\x04"s + "road" + "\x1C\x02\x69\0\x01"s + "x" + "\x1C\x02\x19\0\x02\xC3\xA9"s + "\x1C\x02\x19\0\x01\xE8"s;
  EXPECT_EQ(read_iptc(as_bytes(records)).keywords, (std::vector<std::string>{"road", "\xC3\xA9", "\xC3\xA8"}));
  records = "\x1C\x02\x19\x7F\xFF"s + "short";
  EXPECT_TRUE(read_iptc(as_bytes(records)).keywords.empty());
}

TEST(Facts, IptcIsFoundAmongImageResources) {
  const std::string resources = "8BIM\x03\xED\0\0\0\0\0\x03"s + "abc\0"s + "8BIM\x04\x04\x03"s + "odd" + "\0\0\0\x02"s + "IM";
  EXPECT_EQ(as_text(iptc_records(as_bytes(resources))), "IM");
  EXPECT_TRUE(iptc_records(as_bytes(resources).first(resources.size() - 1)).empty());
}

}  // namespace
}  // namespace fovea::metadata
