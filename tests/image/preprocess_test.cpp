// SPDX-License-Identifier: Apache-2.0
#include "image/preprocess.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "image/pictures.h"

namespace fovea {
namespace {

bool is_grey(const std::uint8_t* pixel) { return pixel[0] == 128 && pixel[1] == 128 && pixel[2] == 128; }

TEST(FitImage, LetterboxKeepsTheWholePhotoBetweenGreyBars) {
  const Image card = test::test_card(80, 40);
  const Image out = fit_image(card, {.height = 64, .width = 64, .fit = Fit::kLetterbox});
  ASSERT_EQ(out.width, 64);
  ASSERT_EQ(out.height, 64);
  const Image inner = resize(card, 64, 32, Filter::kBilinear);
  for (int y = 0; y < 64; ++y) {
    if (y >= 16 && y < 48) {
      EXPECT_TRUE(std::equal(out.row(y), out.row(y) + 64 * 3, inner.row(y - 16))) << y;
    } else {
      for (int x = 0; x < 64; ++x) EXPECT_TRUE(is_grey(out.row(y) + x * 3)) << x << " " << y;
    }
  }
}

TEST(FitImage, LetterboxOfAThinPhotoKeepsAPixelOfIt) {
  const Image out = fit_image(Image(1, 5000), {.height = 32, .width = 32, .fit = Fit::kLetterbox});
  int black = 0;
  for (int x = 0; x < 32; ++x) black += is_grey(out.row(0) + x * 3) ? 0 : 1;
  EXPECT_EQ(black, 1);
}

TEST(FitImage, CropIsTheMiddleOfTheResizedPhoto) {
  const Image card = test::test_card(100, 75);
  const Image out = fit_image(card, {.height = 28, .width = 28, .fit = Fit::kCrop, .filter = Filter::kBicubic});
  const Image all = resize(card, 42, 32, Filter::kBicubic);  // 28 / 0.875 = 32; 32 * 100 / 75 = 42.67, truncated
  for (int y = 0; y < 28; ++y) EXPECT_TRUE(std::equal(out.row(y), out.row(y) + 28 * 3, all.row(y + 2) + 7 * 3)) << y;
}

TEST(FitImage, SquashIsAPlainResize) {
  const Image card = test::test_card(90, 31);
  EXPECT_EQ(fit_image(card, {.height = 20, .width = 40, .fit = Fit::kSquash}).pixels,
            resize(card, 40, 20, Filter::kBilinear).pixels);
}

TEST(FitImage, AnyShapeGivesTheRectangle) {
  for (const Fit fit : {Fit::kLetterbox, Fit::kCrop, Fit::kSquash}) {
    for (const auto& [width, height] : {std::pair{1, 1}, {1, 300}, {300, 1}, {31, 32}, {33, 32}, {7, 5}, {640, 480}}) {
      for (const auto& [to_width, to_height] : {std::pair{32, 32}, {48, 32}, {32, 65}}) {
        const Image out = fit_image(test::test_card(width, height), {.height = to_height, .width = to_width, .fit = fit});
        EXPECT_EQ(out.width, to_width);
        EXPECT_EQ(out.height, to_height);
        EXPECT_EQ(out.pixels.size(), static_cast<std::size_t>(to_width) * static_cast<std::size_t>(to_height) * 3);
      }
    }
  }
}

TEST(Preprocess, ShorterSideNeededNeverEnlargesAPhoto) {
  EXPECT_EQ(shorter_side_needed({.height = 224, .width = 224, .fit = Fit::kCrop}), 256);
  EXPECT_EQ(shorter_side_needed({.height = 224, .width = 224, .fit = Fit::kSquash}), 224);
  EXPECT_EQ(shorter_side_needed({.height = 224, .width = 320, .fit = Fit::kSquash}), 320);
  EXPECT_EQ(shorter_side_needed({.height = 224, .width = 320, .fit = Fit::kLetterbox}), 224);
}

TEST(Preprocess, NamesRoundTrip) {
  for (const Fit fit : {Fit::kLetterbox, Fit::kCrop, Fit::kSquash}) EXPECT_EQ(fit_from(name_of(fit)), fit);
  for (const Filter filter : {Filter::kBilinear, Filter::kBicubic}) EXPECT_EQ(filter_from(name_of(filter)), filter);
  EXPECT_FALSE(fit_from("stretch").has_value());
}

// Against the formula in double precision. Scale and offset are rounded once each, product and sum once each: four
// roundings of terms no larger than 1/std + mean/std.
TEST(Normalize, IsTheFormulaForEveryByteAndTail) {
  const Preprocess preprocess{.mean = {0.485F, 0.456F, 0.406F}, .std = {0.229F, 0.224F, 0.225F}};
  for (const std::size_t count : {3U, 45U, 48U, 51U, 768U}) {
    std::vector<std::uint8_t> pixels(count);
    for (std::size_t i = 0; i < count; ++i) pixels[i] = static_cast<std::uint8_t>(i / 3);
    std::vector<float> out(count, std::numeric_limits<float>::quiet_NaN());
    normalize(pixels, preprocess, out);
    for (std::size_t i = 0; i < count; ++i) {
      const double mean = preprocess.mean[i % 3];
      const double deviation = preprocess.std[i % 3];
      const double bound = 4 * std::numeric_limits<float>::epsilon() / 2 * (1 + mean) / deviation;
      EXPECT_NEAR(out[i], (pixels[i] / 255.0 - mean) / deviation, bound) << i;
    }
  }
}

}  // namespace
}  // namespace fovea
