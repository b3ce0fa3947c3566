// SPDX-License-Identifier: Apache-2.0
#include "metadata/older_words.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "image/byte_order.h"
#include "metadata/container.h"
#include "metadata/md5.h"
#include "support/paths.h"

namespace fovea::metadata {
namespace {

using namespace std::string_literals;
using Words = std::vector<std::string>;

std::string text_of(const std::vector<std::byte>& bytes) { return std::string(as_text(bytes)); }

std::string hex(const std::array<std::byte, 16>& digest) {
  std::string text;
  for (const std::byte byte : digest) {
    for (const unsigned half : {std::to_integer<unsigned>(byte) >> 4U, std::to_integer<unsigned>(byte) & 15U})
      text += "0123456789abcdef"[half];
  }
  return text;
}

TEST(Md5, OfTheExamplesInItsDefinition) {
  EXPECT_EQ(hex(md5(as_bytes(""))), "d41d8cd98f00b204e9800998ecf8427e");
  EXPECT_EQ(hex(md5(as_bytes("message digest"))), "f96b697d7cb7938d525a2f31aaf161d0");
  EXPECT_EQ(hex(md5(as_bytes("12345678901234567890123456789012345678901234567890123456789012345678901234567890"))),
            "57edf4a22be3c955ac49da2e2107b67a");
}

std::string data_set(char record, char number, const std::string& value) {
  return "\x1C"s + record + number + '\0' + static_cast<char>(value.size()) + value;
}
const std::string kUtf8Mark = data_set(1, 90, "\x1B%G");
const std::string kCaption = data_set(2, 120, "A caption");

TEST(Iptc, NewWordsStandBehindTheLastKeyword) {
  const std::string records = data_set(2, 0, "\0\4"s) + data_set(2, 25, "road") + kCaption;
  EXPECT_EQ(wanted_in_iptc(as_bytes(records), {"road", "cloudy"}), Words{"cloudy"});
  const std::string now = text_of(changed_iptc(as_bytes(records), {{"cloudy", "sky"}, {}}));
  EXPECT_EQ(now,
            data_set(2, 0, "\0\4"s) + data_set(2, 25, "road") + data_set(2, 25, "cloudy") + data_set(2, 25, "sky") + kCaption);
  EXPECT_EQ(text_of(changed_iptc(as_bytes(now), {{}, {"cloudy", "sky"}})), records);
}

TEST(Iptc, WithoutKeywordsNothingIsWanted) {
  EXPECT_TRUE(wanted_in_iptc(as_bytes(kCaption), {"cloudy"}).empty());
  EXPECT_TRUE(wanted_in_iptc({}, {"cloudy"}).empty());
}

TEST(Iptc, TheCharacterSetIsRespected) {
  const std::string word = "bew\xC3\xB6lkt";
  const std::string latin1 = "bew\xF6lkt";
  const std::string ascii = data_set(2, 25, "road");
  // Declared; shown by the other words; by none.
  EXPECT_EQ(text_of(changed_iptc(as_bytes(kUtf8Mark + ascii), {{word}, {}})), kUtf8Mark + ascii + data_set(2, 25, word));
  const std::string utf8 = data_set(2, 25, "\xC3\xA9t\xC3\xA9");
  EXPECT_EQ(text_of(changed_iptc(as_bytes(utf8), {{word}, {}})), utf8 + data_set(2, 25, word));
  EXPECT_EQ(text_of(changed_iptc(as_bytes(ascii), {{word}, {}})), ascii + data_set(2, 25, latin1));
  EXPECT_EQ(text_of(changed_iptc(as_bytes(ascii + data_set(2, 25, latin1)), {{}, {word}})), ascii);
  // Letters that a set does not have, and words that are too long, are left to XMP.
  EXPECT_EQ(wanted_in_iptc(as_bytes(ascii), {"\xE6\x9B\x87", "rain", std::string(65, 'x')}), Words{"rain"});
  EXPECT_EQ(wanted_in_iptc(as_bytes(kUtf8Mark + ascii), {"\xE6\x9B\x87"}), Words{"\xE6\x9B\x87"});
  EXPECT_TRUE(wanted_in_iptc(as_bytes(data_set(1, 90, "\x1B%/1") + ascii), {word}).empty());
}

std::string resource(std::uint32_t id, const std::string& data) {
  std::string text = "8BIM"s + static_cast<char>(id >> 8U) + static_cast<char>(id) + "\0\0\0\0"s;
  text += static_cast<char>(data.size() >> 8U);
  text += static_cast<char>(data.size());
  return text + data + std::string(data.size() % 2, '\0');
}
std::string digest_of(const std::string& records) {
  const auto digest = md5(as_bytes(records));
  return std::string(as_text(digest));
}

TEST(Iptc, TheDigestFollowsWhereItWasRight) {
  const std::string old = data_set(2, 25, "road");
  const std::string now = data_set(2, 25, "road") + data_set(2, 25, "cloudy");
  const auto with = [&](const std::string& resources) {
    return text_of(with_iptc(as_bytes(resources), iptc_records(as_bytes(resources)), as_bytes(now)));
  };
  const std::string front = resource(0x03ED, "abc");
  const std::string behind = resource(0x03F3, "de") + "rest";
  EXPECT_EQ(with(front + resource(0x0404, old) + resource(0x0425, digest_of(old)) + behind),
            front + resource(0x0404, now) + resource(0x0425, digest_of(now)) + behind);
  // One that is wrong says that somebody changed the records without XMP: so it must stay.
  const std::string wrong(16, 'w');
  EXPECT_EQ(with(resource(0x0425, wrong) + resource(0x0404, old)), resource(0x0425, wrong) + resource(0x0404, now));
}

std::string utf16(const std::string& ascii) {
  std::string text;
  for (const char c : ascii) text += std::string{c, '\0'};
  return text;
}

TEST(Xp, WordsAreAddedAndTakenOut) {
  const std::string value = utf16("sea;hill") + "\0\0"s;
  EXPECT_EQ(wanted_in_xp(as_bytes(value), {"hill", "cloudy", "a;b"}), Words{"cloudy"});
  const std::string now = text_of(changed_xp(as_bytes(value), {{"cloudy", "\xF0\x9F\x8C\xA7"}, {}}));
  EXPECT_EQ(now, utf16("sea;hill;cloudy;") + "\x3C\xD8\x27\xDF\0\0"s);
  EXPECT_EQ(read_xp(as_bytes(now)), (Words{"sea", "hill", "cloudy", "\xF0\x9F\x8C\xA7"}));
  EXPECT_EQ(text_of(changed_xp(as_bytes(now), {{}, {"cloudy", "\xF0\x9F\x8C\xA7"}})), value);
  EXPECT_TRUE(wanted_in_xp({}, {"cloudy"}).empty());
}

std::string number(std::size_t value, int bytes, bool big) {
  std::string text;
  for (int i = 0; i < bytes; ++i) text += static_cast<char>(value >> (8U * static_cast<unsigned>(big ? bytes - 1 - i : i)));
  return text;
}
/// A directory with XPKeywords ("sea") and, behind its value, a maker note that must stay where it is.
std::string exif(bool big) {
  const std::string value = utf16("sea") + "\0\0"s;
  const std::string entry = number(0x9C9E, 2, big) + number(1, 2, big) + number(value.size(), 4, big) + number(26, 4, big);
  return (big ? "MM\0*"s : "II*\0"s) + number(8, 4, big) + number(1, 2, big) + entry + number(0, 4, big) + value + "note";
}

TEST(Xp, AnExifSegmentGrowsAtItsEndOnly) {
  for (const bool big : {false, true}) {
    const std::string old = exif(big);
    const auto value = changed_xp(xp_keywords(as_bytes(old)), {{"cloudy"}, {}});
    const Splices splices = with_xp(as_bytes(old), value);
    const std::string now = text_of(*spliced(as_bytes(old), splices));
    EXPECT_EQ(read_exif(as_bytes(now)).keywords, (Words{"sea", "cloudy"}));
    EXPECT_EQ(now.substr(26, old.size() - 26), old.substr(26));
    EXPECT_EQ(text_of(*spliced(as_bytes(now), inverse(as_bytes(old), splices))), old);
    const Splices back = with_xp(as_bytes(now), changed_xp(xp_keywords(as_bytes(now)), {{}, {"cloudy"}}));
    const std::string shorter = text_of(*spliced(as_bytes(now), back));
    EXPECT_EQ(read_exif(as_bytes(shorter)).keywords, Words{"sea"});
    EXPECT_EQ(shorter.size(), now.size());
  }
}

std::string segment(char marker, const std::string& data) {
  return "\xFF"s + marker + static_cast<char>((data.size() + 2) >> 8U) + static_cast<char>(data.size() + 2) + data;
}

/// A photo with keywords in every older field.
std::string photo_with_older_words() {
  std::ifstream file(test::test_data("image/data/pictures/rgb.jpg"), std::ios::binary);
  const std::string plain{std::istreambuf_iterator<char>(file), {}};
  const std::string records = data_set(2, 25, "road") + kCaption;
  return plain.substr(0, 2) + segment('\xE1', "Exif\0\0"s + exif(true)) +
         segment('\xED', "Photoshop 3.0\0"s + resource(0x0404, records) + resource(0x0425, digest_of(records))) + plain.substr(2);
}

TEST(OlderWords, GoIntoAJpegAndOutOfItAgain) {
  const std::string old = photo_with_older_words();
  const OlderWords older = wanted_in_older(as_bytes(old), {"cloudy", "road"});
  EXPECT_EQ(older.iptc.add, Words{"cloudy"});
  EXPECT_EQ(older.xp.add, (Words{"cloudy", "road"}));
  const auto splices = embed_xmp(as_bytes(old), empty_packet(), older);
  ASSERT_TRUE(splices.ok()) << splices.error().message;
  const std::string now = text_of(*spliced(as_bytes(old), *splices));
  const Blocks blocks = find_blocks(as_bytes(now));
  EXPECT_EQ(as_text(blocks.xmp), empty_packet());
  EXPECT_EQ(read_iptc(blocks.iptc).keywords, (Words{"road", "cloudy"}));
  EXPECT_EQ(read_exif(blocks.exif).keywords, (Words{"sea", "cloudy", "road"}));
  EXPECT_TRUE(now.ends_with(old.substr(old.find("\xFF\xDA"s))));
  EXPECT_EQ(text_of(*spliced(as_bytes(now), inverse(as_bytes(old), *splices))), old);
  const auto out = embed_xmp(as_bytes(now), empty_packet(), {{{}, older.iptc.add}, {{}, older.xp.add}});
  ASSERT_TRUE(out.ok());
  const std::string without = text_of(*spliced(as_bytes(now), *out));
  EXPECT_EQ(as_text(find_blocks(as_bytes(without)).iptc), as_text(find_blocks(as_bytes(old)).iptc));
  EXPECT_EQ(read_metadata(as_bytes(without)).facts.keywords, (Words{"sea", "road"}));
}

TEST(OlderWords, OfFoveasOwnAreNotTheUsers) {
  const std::string old = photo_with_older_words();
  const OlderWords older = wanted_in_older(as_bytes(old), {"cloudy"});
  const std::string empty = empty_packet();
  const auto tags = add_tags(empty, {{"cloudy"}, {}, {}, older.iptc.add, older.xp.add}, {}, {"m", "d", {}});
  const std::string packet = text_of(*spliced(as_bytes(empty), *tags));
  const std::string now = text_of(*spliced(as_bytes(old), *embed_xmp(as_bytes(old), packet, older)));
  EXPECT_EQ(read_metadata(as_bytes(now)).facts.keywords, (Words{"sea", "road"}));
  EXPECT_EQ(read_xmp(packet)->own.iptc, Words{"cloudy"});
}

TEST(OlderWords, AFullSegmentIsLeftAsItIs) {
  std::string old = photo_with_older_words();
  const std::string full = segment('\xE1', "Exif\0\0"s + exif(true) + std::string(65533 - 6 - exif(true).size(), 'n'));
  old = old.substr(0, 2) + full + old.substr(2 + segment('\xE1', "Exif\0\0"s + exif(true)).size());
  const OlderWords older = wanted_in_older(as_bytes(old), {"cloudy"});
  EXPECT_TRUE(older.xp.empty());
  EXPECT_FALSE(older.iptc.empty());
}

}  // namespace
}  // namespace fovea::metadata
