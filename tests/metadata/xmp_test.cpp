// SPDX-License-Identifier: Apache-2.0
#include "metadata/xmp.h"

#include <gtest/gtest.h>

namespace fovea::metadata {
namespace {

constexpr std::string_view kHead =
    "<?xpacket begin='' id='W5M0MpCehiHzreSzNTczkc9d'?><x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF "
    "xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>";
constexpr std::string_view kTail = "</rdf:RDF></x:xmpmeta><?xpacket end='w'?>";

std::string packet(std::string_view inside) { return std::string(kHead) + std::string(inside) + std::string(kTail); }

constexpr std::string_view kUser =
    "<rdf:Description rdf:about='uuid:1' xmlns:dc='http://purl.org/dc/elements/1.1/' "
    "xmlns:xmp='http://ns.adobe.com/xap/1.0/' xmp:Rating='4' xmp:CreateDate='2019-06-30T18:22:05'>"
    "<dc:subject><rdf:Bag><rdf:li>holiday</rdf:li><rdf:li>cloudy</rdf:li></rdf:Bag></dc:subject>"
    "<dc:description><rdf:Alt><rdf:li xml:lang='x-default'>A &amp; B</rdf:li></rdf:Alt></dc:description></rdf:Description>";

const TagRecord kRecord{"weather", "2026-11-22T19:30:00Z", {"cloudy 0.934", "clear 0.060"}};
const Keywords kCloudy{{"cloudy"}, {"Fovea|weather|cloudy"}, {"Fovea/weather/cloudy"}};

std::string changed(std::string_view old, const Result<Splices>& splices) {
  if (!splices) return "refused: " + splices.error().message;
  const auto bytes = spliced(as_bytes(old), *splices);
  return bytes ? std::string(as_text(*bytes)) : "does not fit";
}

TEST(Xmp, KeywordsGoIntoAnEmptyPacket) {
  const std::string text = changed(empty_packet(), add_tags(empty_packet(), kCloudy, {}, kRecord));
  const auto content = read_xmp(text);
  ASSERT_TRUE(content.ok()) << content.error().message << text;
  EXPECT_EQ(content->all, kCloudy) << text;
  EXPECT_EQ(content->own, kCloudy);
  EXPECT_TRUE(content->marked);
  EXPECT_TRUE(content->facts.keywords.empty());
}

TEST(Xmp, TheUsersWordsStayAndStayTheirs) {
  const std::string old = packet(kUser);
  const std::string text = changed(old, add_tags(old, kCloudy, {}, kRecord));
  const auto content = read_xmp(text);
  ASSERT_TRUE(content.ok()) << text;
  EXPECT_EQ(content->all.subject, (std::vector<std::string>{"holiday", "cloudy"}));
  EXPECT_TRUE(content->own.subject.empty()) << "the word was there before";
  EXPECT_EQ(content->own.hierarchical, kCloudy.hierarchical);
  EXPECT_EQ(content->facts.keywords, (std::vector<std::string>{"holiday", "cloudy"}));
  EXPECT_EQ(content->facts.taken, "2019-06-30T18:22:05");
  EXPECT_NE(text.find("A &amp; B"), std::string::npos);
  EXPECT_NE(text.find("rdf:about=\"uuid:1\""), std::string::npos);
}

TEST(Xmp, OnlyTheFieldsInQuestionChange) {
  const std::string old = packet(kUser);
  const auto splices = add_tags(old, {{"clear"}, {}, {}}, {}, kRecord);
  ASSERT_TRUE(splices.ok());
  for (const Splice& splice : *splices) EXPECT_EQ(splice.removed, 0U);
  EXPECT_EQ(read_xmp(changed(old, splices))->all.subject, (std::vector<std::string>{"holiday", "cloudy", "clear"}));
}

TEST(Xmp, RemovingLeavesWhatOthersWrote) {
  const std::string old = packet(kUser);
  const Keywords wanted{{"clear", "cloudy"}, kCloudy.hierarchical, kCloudy.tags_list};
  std::string text = changed(old, add_tags(old, wanted, {}, kRecord));
  // Another program adds a word to one of the new fields.
  const std::size_t at = text.find("</rdf:Bag>", text.find("lr:hierarchicalSubject"));
  text.insert(at, "<rdf:li>Places|Home</rdf:li>");
  const std::string removed = changed(text, remove_tags(text));
  const auto content = read_xmp(removed);
  ASSERT_TRUE(content.ok()) << removed;
  EXPECT_EQ(content->all, (Keywords{{"holiday", "cloudy"}, {"Places|Home"}, {}})) << removed;
  EXPECT_FALSE(content->marked);
  EXPECT_EQ(removed.find("fovea:"), removed.find("fovea:tags")) << "only its declaration may be left: " << removed;
}

TEST(Xmp, AddingAndRemovingInAnEmptyPacketLeavesNothing) {
  const std::string text = changed(empty_packet(), add_tags(empty_packet(), kCloudy, {}, kRecord));
  const std::string removed = changed(text, remove_tags(text));
  EXPECT_EQ(removed.find("fovea"), std::string::npos) << removed;
  EXPECT_EQ(removed.find("Description"), std::string::npos) << removed;
}

TEST(Xmp, CarriedWordsAreWrittenButAreNotOurs) {
  const Keywords carried{{"holiday", "cloudy"}, {}, {"holiday"}};
  const std::string text = changed(empty_packet(), add_tags(empty_packet(), kCloudy, carried, kRecord));
  const auto content = read_xmp(text);
  ASSERT_TRUE(content.ok());
  EXPECT_EQ(content->all.subject, carried.subject);
  EXPECT_TRUE(content->own.subject.empty());
  EXPECT_EQ(content->all.tags_list, (std::vector<std::string>{"holiday", "Fovea/weather/cloudy"}));
  EXPECT_EQ(content->facts.keywords, carried.subject);
}

TEST(Xmp, FieldsThatCloseThemselvesAreOpened) {
  for (const std::string_view bag : {"<dc:subject><rdf:Bag/></dc:subject>", "<dc:subject><rdf:Seq></rdf:Seq></dc:subject>"}) {
    const std::string old = packet("<rdf:Description rdf:about='' xmlns:dc='http://purl.org/dc/elements/1.1/'>" +
                                   std::string(bag) + "</rdf:Description>");
    EXPECT_EQ(read_xmp(changed(old, add_tags(old, {{"x"}, {}, {}}, {}, kRecord)))->all.subject, std::vector<std::string>{"x"});
  }
  const std::string root = "<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'/>";
  EXPECT_EQ(read_xmp(changed(root, add_tags(root, kCloudy, {}, kRecord)))->all, kCloudy);
}

TEST(Xmp, WordsAreEscaped) {
  const Keywords odd{{"<a> & \"b\" 'c'"}, {}, {}};
  const std::string text = changed(empty_packet(), add_tags(empty_packet(), odd, {}, kRecord));
  EXPECT_EQ(read_xmp(text)->all, odd) << text;
}

TEST(Xmp, FormsThatNobodyWritesAreRefused) {
  const std::string open = "<rdf:Description rdf:about='' xmlns:dc='http://purl.org/dc/elements/1.1/'";
  for (const std::string& inside : {open + " dc:subject='one'/>", open + "><dc:subject>one</dc:subject></rdf:Description>"}) {
    const std::string old = packet(inside);
    const auto splices = add_tags(old, kCloudy, {}, kRecord);
    ASSERT_FALSE(splices.ok()) << inside;
    EXPECT_EQ(splices.error().kind, Error::Kind::kUnsupported);
  }
  EXPECT_FALSE(read_xmp("<a/>").ok());
  EXPECT_FALSE(read_xmp(std::string_view("\xFF\xFE<\0", 4)).ok());
}

TEST(Xmp, PlacesAreReadInBothForms) {
  const auto place = [](std::string_view latitude, std::string_view longitude) {
    return read_xmp(packet("<rdf:Description rdf:about='' xmlns:exif='http://ns.adobe.com/exif/1.0/' exif:GPSLatitude='" +
                           std::string(latitude) + "'><exif:GPSLongitude>" + std::string(longitude) +
                           "</exif:GPSLongitude></rdf:Description>"))
        ->facts.place;
  };
  ASSERT_TRUE(place("52,30.0N", "13,15,36W").has_value());
  EXPECT_DOUBLE_EQ(place("52,30.0N", "13,15,36W")->latitude, 52.5);
  EXPECT_NEAR(place("52,30.0N", "13,15,36W")->longitude, -13.26, 1e-12);
  EXPECT_FALSE(place("52,30.0", "13,15,36W").has_value());
  EXPECT_FALSE(place("152,30.0N", "13,15,36W").has_value());
}

}  // namespace
}  // namespace fovea::metadata
