// SPDX-License-Identifier: Apache-2.0
#include "annotate/panel.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace fovea::annotation {
namespace {

const std::vector<std::string> kClasses{"clear", "полуясно", "曇り"};

Image grey(int width, int height, std::uint8_t value) {
  Image image(width, height);
  std::ranges::fill(image.pixels, value);
  return image;
}

void draw(Panel& panel, const Bars& bars, Image& image) {
  panel.draw(bars);
  lay_over(panel.layer(), panel.margin(), panel.margin(), image);
}

TEST(ShownClasses, FewKeepTheirPlaces) {
  EXPECT_EQ(shown_classes(std::vector<double>{0.1, 0.7, 0.2}, 3), (std::vector<std::size_t>{0, 1, 2}));
}

TEST(ShownClasses, OfManyTheMostProbableComeFirst) {
  EXPECT_EQ(shown_classes(std::vector<double>{0.1, 0.5, 0.4}, 2), (std::vector<std::size_t>{1, 2}));
}

TEST(Panel, LeavesTheRestOfThePictureAlone) {
  auto panel = Panel::create(640, 360, 3);
  ASSERT_TRUE(panel.ok()) << panel.error().message;
  Image image = grey(640, 360, 250);
  draw(*panel, {kClasses, std::vector<double>{0.2, 0.5, 0.3}}, image);
  for (int x = 400; x < 640; ++x) EXPECT_EQ(image.row(10)[3 * x], 250);
  EXPECT_LT(image.row(30)[3 * 11], 200);  // left of the text
}

/// Light text on a dark ground, whatever lies below: W3C's least contrast of large text is 3.
TEST(Panel, CanBeReadOnBrightAndOnDark) {
  for (const std::uint8_t ground : {std::uint8_t{255}, std::uint8_t{0}}) {
    auto panel = Panel::create(1280, 720, 3);
    ASSERT_TRUE(panel.ok());
    Image image = grey(1280, 720, ground);
    draw(*panel, {kClasses, std::vector<double>{1.0, 0.0, 0.0}}, image);
    std::uint8_t lightest = 0;
    std::uint8_t darkest = 255;
    for (int y = 20; y < 60; ++y) {
      for (int x = 20; x < 120; ++x) {
        lightest = std::max(lightest, image.row(y)[3 * x]);
        darkest = std::min(darkest, image.row(y)[3 * x]);
      }
    }
    const auto linear = [](std::uint8_t value) { return std::pow(value / 255.0, 2.2); };
    EXPECT_GT((linear(lightest) + 0.05) / (linear(darkest) + 0.05), 3) << int{ground};
  }
}

TEST(Panel, ALongerShareIsALongerBar) {
  const auto coloured = [](double share) {
    auto panel = Panel::create(1280, 720, 1);
    Image image = grey(1280, 720, 0);
    draw(*panel, {std::vector<std::string>{"a"}, std::vector<double>{share}}, image);
    std::int64_t count = 0;
    for (std::size_t i = 0; i < image.pixels.size(); i += 3) count += image.pixels[i + 2] > image.pixels[i] + 100 ? 1 : 0;
    return count;
  };
  EXPECT_GT(coloured(0.3), 0);
  EXPECT_NEAR(static_cast<double>(coloured(0.9)) / static_cast<double>(coloured(0.3)), 3, 0.15);
}

TEST(Panel, FitsIntoASmallPicture) {
  auto panel = Panel::create(96, 64, 5);
  ASSERT_TRUE(panel.ok());
  Image image = grey(96, 64, 128);
  draw(*panel, {kClasses, std::vector<double>{0.2, 0.5, 0.3}}, image);
  EXPECT_EQ(Panel::create(8, 8, 5).error().kind, Error::Kind::kUnsupported);
}

TEST(Panel, IsDrawnAgainOnlyWhenItLooksDifferent) {
  auto panel = Panel::create(1280, 720, 3);
  ASSERT_TRUE(panel.ok());
  EXPECT_TRUE(panel->draw({kClasses, std::vector<double>{0.2, 0.51, 0.29}}));
  EXPECT_FALSE(panel->draw({kClasses, std::vector<double>{0.2001, 0.5101, 0.2898}}));
  const Layer before = panel->layer();
  EXPECT_TRUE(panel->draw({kClasses, std::vector<double>{0.2, 0.45, 0.35}}));
  EXPECT_NE(panel->layer().pixels, before.pixels);
  EXPECT_TRUE(panel->draw({kClasses, std::vector<double>{0.2, 0.51, 0.29}}));
  EXPECT_EQ(panel->layer().pixels, before.pixels);  // nothing of the one between is left
  EXPECT_TRUE(panel->draw({kClasses, std::vector<double>{0.2, 0.51, 0.29}, true}));
}

}  // namespace
}  // namespace fovea::annotation
