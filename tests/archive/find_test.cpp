// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "archive/photos.h"
#include "metadata/container.h"

namespace fovea::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class Find : public ArchiveTest {
 protected:
  /// A photo's own XMP: date, camera, place and a keyword, as another program has written them.
  void describe(const std::string& name, const std::string& date, const std::string& place, const std::string& word) {
    const std::string packet =
        "<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'><rdf:Description "
        "rdf:about='' xmlns:dc='http://purl.org/dc/elements/1.1/' xmlns:exif='http://ns.adobe.com/exif/1.0/' "
        "xmlns:tiff='http://ns.adobe.com/tiff/1.0/' tiff:Model='Box " +
        name + "' exif:DateTimeOriginal='" + date + "' " + place + "><dc:subject><rdf:Bag><rdf:li>" + word +
        "</rdf:li></rdf:Bag></dc:subject></rdf:Description></rdf:RDF></x:xmpmeta>";
    const std::string old = bytes_of(photos_ / name);
    const auto splices = metadata::embed_xmp(metadata::as_bytes(old), packet);
    write_text(photos_ / name, std::string(metadata::as_text(*metadata::spliced(metadata::as_bytes(old), *splices))));
  }

  void SetUp() override {
    ArchiveTest::SetUp();
    describe("a1.jpg", "2018-05-06T10:00:00", "exif:GPSLatitude='52,31.2N' exif:GPSLongitude='13,24.6E'", "Berlin");
    describe("b1.jpg", "2019-06-30T10:00:00", "exif:GPSLatitude='33,51.5S' exif:GPSLongitude='151,12.5E'", "harbour");
    describe("c1.jpg", "2020-01-01T00:00:00", "exif:GPSLatitude='16,30S' exif:GPSLongitude='179,30W'", "Places|Fiji");
    ASSERT_TRUE(tag_photos(tag_options()).ok());
  }
};

TEST_F(Find, ByClassAndByOthersKeywords) {
  const auto all = find_tagged({.catalog = catalog_});
  ASSERT_EQ(all->size(), 9U);
  EXPECT_EQ(all->front().path.filename(), "a1.jpg") << "the oldest first, then those without a date";
  std::size_t by_class = 0;
  for (const char* label : {"A", "B", "C"}) by_class += found({.words = {label}}).size();
  EXPECT_EQ(by_class, 9U);
  EXPECT_THAT(found({.words = {"berlin"}}), ElementsAre("a1.jpg"));
  EXPECT_THAT(found({.words = {"Places/Fiji"}}), ElementsAre("c1.jpg"));
  EXPECT_THAT(found({.words = {"Berlin", "harbour"}}), IsEmpty());
}

TEST_F(Find, ByDate) {
  EXPECT_THAT(found({.since = "2019"}), ElementsAre("b1.jpg", "c1.jpg"));
  EXPECT_THAT(found({.until = "2019"}), ElementsAre("a1.jpg", "b1.jpg"));
  EXPECT_THAT(found({.since = "2019-06-30", .until = "2019-06-30"}), ElementsAre("b1.jpg"));
  EXPECT_THAT(found({.since = "2019-07"}), ElementsAre("c1.jpg"));
  EXPECT_THAT(found({.since = "last year"})[0], testing::HasSubstr("--since"));
}

TEST_F(Find, ByCameraFolderAndLimit) {
  EXPECT_THAT(found({.camera = "box B1"}), ElementsAre("b1.jpg"));
  EXPECT_THAT(found({.folders = {photos_ / "c0.png"}}), ElementsAre("c0.png"));
  EXPECT_THAT(found({.folders = {folder_ / "elsewhere"}}), IsEmpty());
  EXPECT_EQ(found({.limit = 4}).size(), 4U);
}

TEST_F(Find, ByPlace) {
  EXPECT_THAT(found({.near = GeoCircle{{52.5, 13.4}, 5}}), ElementsAre("a1.jpg"));
  EXPECT_THAT(found({.near = GeoCircle{{52.5, 13.4}, 1}}), IsEmpty());
  EXPECT_THAT(found({.box = GeoBox{{-40, 140}, {-30, 160}}}), ElementsAre("b1.jpg"));
  // Across the 180th meridian: from 170 degrees east to 170 degrees west.
  EXPECT_THAT(found({.box = GeoBox{{-20, 170}, {-10, -170}}}), ElementsAre("c1.jpg"));
}

TEST_F(Find, APlaceThatIsNoneIsRefused) {
  EXPECT_THAT(found({.near = GeoCircle{{91, 0}, 1}})[0], testing::HasSubstr("a latitude of -90 to 90"));
  EXPECT_THAT(found({.near = GeoCircle{{std::nan(""), 0}, 1}})[0], testing::HasSubstr("a latitude of -90 to 90"));
  EXPECT_THAT(found({.near = GeoCircle{{52, 13}, -1}})[0], testing::HasSubstr("a radius of -1 km"));
  EXPECT_THAT(found({.box = GeoBox{{13, 52}, {14, 190}}})[0], testing::HasSubstr("a longitude of -180 to 180"));
  EXPECT_THAT(found({.box = GeoBox{{55, 6}, {47, 15}}})[0], testing::HasSubstr("lies north of its north"));
}

TEST_F(Find, ByProbability) {
  FindQuery query{.catalog = catalog_, .words = {"b"}, .min_probability = 0.01};
  const auto likely = find_tagged(query);
  ASSERT_TRUE(likely.ok());
  EXPECT_GE(likely->size(), found({.words = {"b"}}).size());
  for (const FoundPhoto& photo : *likely) EXPECT_GE(photo.probability.value_or(0), 0.01);
  query.min_probability = 1.0;
  query.words = {"harbour"};
  EXPECT_EQ(find_tagged(query)->size(), 1U) << "another program's keyword is certain";
}

TEST_F(Find, WordsThatAnotherProgramAddsLater) {
  const auto sidecar = photos_ / "a2.jpg.xmp";
  std::string text = bytes_of(sidecar);
  text.insert(text.find("</rdf:Bag>"), "<rdf:li>late</rdf:li>");
  write_text(sidecar, text);
  EXPECT_EQ(tag_photos(tag_options())->unchanged, 9);
  EXPECT_THAT(found({.words = {"late"}}), ElementsAre("a2.jpg"));
}

TEST_F(Find, UntaggedPhotosAreFoundByOthersKeywordsAlone) {
  ASSERT_TRUE(untag_photos(untag_options()).ok());
  for (const char* label : {"a", "b", "c"}) EXPECT_THAT(found({.words = {label}}), IsEmpty());
  EXPECT_THAT(found({.words = {"Berlin"}}), ElementsAre("a1.jpg"));
}

TEST_F(Find, WithoutACatalogueItSaysWhatMakesOne) {
  const auto photos = find_tagged({.catalog = folder_ / "absent.sqlite"});
  ASSERT_FALSE(photos.ok());
  EXPECT_EQ(photos.error().kind, Error::Kind::kNotFound);
  EXPECT_THAT(photos.error().message, testing::HasSubstr("fovea tag"));
}

TEST_F(Find, AContactSheetShowsWhatWasFound) {
  auto photos = find_tagged({.catalog = catalog_, .limit = 3});
  ASSERT_TRUE(photos.ok());
  photos->push_back({.path = folder_ / "gone <&.jpg"});
  ASSERT_TRUE(write_contact_sheet(folder_ / "a.html", "a & b", *photos).ok());
  const std::string page = bytes_of(folder_ / "a.html");
  std::size_t pictures = 0;
  for (std::size_t at = page.find("data:image/jpeg"); at != std::string::npos; at = page.find("data:image/jpeg", at + 1))
    ++pictures;
  EXPECT_EQ(pictures, 3U);
  EXPECT_THAT(page, testing::HasSubstr("gone &lt;&amp;.jpg"));
  EXPECT_THAT(page, testing::HasSubstr("<h1>a &amp; b</h1>"));
  EXPECT_FALSE(write_contact_sheet(photos_ / "a1.jpg", "a", *photos).ok());
}

}  // namespace
}  // namespace fovea::test
