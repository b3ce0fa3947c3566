// SPDX-License-Identifier: Apache-2.0
#include "archive/change.h"

#include <gtest/gtest.h>

#include "archive/keywords.h"
#include "archive/photos.h"

namespace fovea::archive {
namespace {

namespace fs = std::filesystem;

TEST(Sidecar, TheNameThatOthersUseToo) {
  const test::TemporaryFolder folder;
  const fs::path photo = folder / "a.jpg";
  test::write_text(photo, "x");
  EXPECT_EQ(sidecar_of(photo), folder / "a.jpg.xmp");
  test::write_text(folder / "a.xmp", "x");
  EXPECT_EQ(sidecar_of(photo), folder / "a.xmp") << "there, and nobody else's";
  test::write_text(folder / "a.cr2", "x");
  EXPECT_EQ(sidecar_of(photo), folder / "a.jpg.xmp") << "it may be about a.cr2";
  fs::remove(folder / "a.cr2");
  test::write_text(folder / "a.jpg.xmp", "x");
  EXPECT_EQ(sidecar_of(photo), folder / "a.jpg.xmp");
}

Answer answer(double probability, bool rejected = false) {
  return {.predictions = {{"cloudy", probability}, {"clear", 1 - probability}}, .rejected = rejected};
}

TEST(Words, StandBelowTheModelsName) {
  const Words words = words_for(answer(0.9), {"weather", {}, 0.5});
  EXPECT_EQ(words.fields, (metadata::Keywords{{"cloudy"}, {"Fovea|weather|cloudy"}, {"Fovea/weather/cloudy"}}));
  EXPECT_EQ(words.shown, std::vector<std::string>{"cloudy"});
}

TEST(Words, GoWhereTheUserSays) {
  const Words words = words_for(answer(0.9), {"weather", {{"cloudy", "Weather/Cloudy"}}, 0.5});
  EXPECT_EQ(words.fields, (metadata::Keywords{{"Cloudy"}, {"Weather|Cloudy"}, {"Weather/Cloudy"}}));
  EXPECT_EQ(words.levels.size(), 2U);
  EXPECT_TRUE(words_for(answer(0.9), {"weather", {{"cloudy", ""}}, 0.5}).shown.empty());
}

TEST(Words, OfUnsureAndRejectedPhotosThereAreNone) {
  EXPECT_TRUE(words_for(answer(0.49), {"weather", {}, 0.5}).shown.empty());
  EXPECT_TRUE(words_for(answer(0.9, true), {"weather", {}, 0.5}).shown.empty());
  EXPECT_FALSE(words_for(answer(0.5), {"weather", {}, 0.5}).shown.empty());
}

TEST(Words, CarryThePhotosOwnIntoTheFieldThatHidesOthers) {
  EXPECT_EQ(carried_words({{"sea"}, {}, {}}).tags_list, std::vector<std::string>{"sea"});
  EXPECT_EQ(carried_words({{"sea"}, {"Places|Sea"}, {}}).tags_list, std::vector<std::string>{"Places/Sea"});
  EXPECT_EQ(carried_words({{"sea"}, {"Places|Sea"}, {"Sea"}}).tags_list, std::vector<std::string>{"Sea"});
}

TEST(MayEmbed, NotIntoWhatIsARawPhotoByItsName) {
  for (const char* name : {"a.IIQ", "b.kdc", "c.3fr"}) {
    const auto may = may_embed(name);
    ASSERT_FALSE(may.ok()) << name;
    EXPECT_EQ(may.error().kind, Error::Kind::kUnsupported) << name;
  }
}

}  // namespace
}  // namespace fovea::archive
