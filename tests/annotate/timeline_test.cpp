// SPDX-License-Identifier: Apache-2.0
#include "annotate/timeline.h"

#include <gtest/gtest.h>

#include <vector>

#include "annotate/colours.h"

namespace fovea::annotation {
namespace {

bool has_colour(const Image& image, int x, int y, std::size_t number) {
  const std::uint8_t* pixel = image.row(y) + 3 * x;
  const Rgb colour = colour_of(number);
  return pixel[0] == colour.r && pixel[1] == colour.g && pixel[2] == colour.b;
}

void draw(const Timeline& timeline, Image& image, int left, int top, int width, int height) {
  Layer layer(width, height);
  timeline.draw(layer);
  lay_over(layer, left, top, image);
}

TEST(Timeline, SharesAreHeights) {
  Timeline timeline(10.0, 2);
  timeline.add(0, std::vector<double>{0.25, 0.75});
  Image image(8, 40);
  draw(timeline, image, 0, 0, 8, 40);
  for (int y = 0; y < 40; ++y) EXPECT_TRUE(has_colour(image, 0, y, y < 30 ? 1 : 0)) << y;
}

TEST(Timeline, WhatHasNotComeYetIsDark) {
  Timeline timeline(10.0, 1);
  for (int i = 0; i <= 5; ++i) timeline.add(i, std::vector<double>{1.0});
  Image image(100, 4);
  image.pixels.assign(image.pixels.size(), 200);
  draw(timeline, image, 0, 0, 100, 4);
  EXPECT_TRUE(has_colour(image, 49, 2, 0));
  EXPECT_EQ(image.row(2)[3 * 60], 80);
}

TEST(Timeline, AColumnBetweenTwoFramesShowsTheEarlier) {
  Timeline timeline(100.0, 2);
  timeline.add(0, std::vector<double>{1.0, 0.0});
  timeline.add(50, std::vector<double>{0.0, 1.0});
  Image image(100, 4);
  draw(timeline, image, 0, 0, 100, 4);
  EXPECT_TRUE(has_colour(image, 25, 2, 0));
  EXPECT_TRUE(has_colour(image, 50, 2, 1));
}

TEST(Timeline, AClipLongerThanItSaysIsPressedTogether) {
  Timeline timeline(10.0, 2);
  timeline.add(2, std::vector<double>{1.0, 0.0});
  timeline.add(18, std::vector<double>{0.0, 1.0});
  Image image(100, 4);
  draw(timeline, image, 0, 0, 100, 4);
  EXPECT_TRUE(has_colour(image, 10, 2, 0));
  EXPECT_TRUE(has_colour(image, 90, 2, 1));
}

TEST(Timeline, StaysWithinItsRectangle) {
  Timeline timeline(std::nullopt, 1);
  timeline.add(0, std::vector<double>{1.0});
  Image image(20, 20);
  image.pixels.assign(image.pixels.size(), 7);
  draw(timeline, image, 5, 6, 10, 8);
  for (int y = 0; y < 20; ++y) {
    for (int x = 0; x < 20; ++x) {
      const bool inside = x >= 5 && x < 15 && y >= 6 && y < 14;
      EXPECT_EQ(image.row(y)[3 * x] != 7, inside) << x << ' ' << y;
    }
  }
}

}  // namespace
}  // namespace fovea::annotation
