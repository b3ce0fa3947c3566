// SPDX-License-Identifier: Apache-2.0
#include "image/yuv.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "image/preprocess.h"

namespace fovea {
namespace {

/// A frame with memory of its own: waves of luma and of both differences, within the colours that RGB has.
class Waves {
 public:
  Waves(int width, int height, YuvMatrix matrix, bool full_range) {
    frame.width = width;
    frame.height = height;
    frame.matrix = matrix;
    frame.full_range = full_range;
    for (std::size_t plane = 0; plane < 3; ++plane) {
      const int halves = plane == 0 ? 1 : 2;
      const int columns = (width + halves - 1) / halves;
      const int rows = (height + halves - 1) / halves;
      memory_[plane].resize(static_cast<std::size_t>(columns + kGap) * static_cast<std::size_t>(rows));
      for (int y = 0; y < rows; ++y) {
        for (int x = 0; x < columns; ++x) {
          const double wave =
              std::sin(0.21 * (x + 1.0) * static_cast<double>(1 + plane)) * std::cos(0.13 * y + static_cast<double>(plane));
          memory_[plane][static_cast<std::size_t>(y * (columns + kGap) + x)] =
              static_cast<std::uint8_t>(std::lround(126 + (plane == 0 ? 40 : 18) * wave));
        }
      }
      frame.planes[plane] = memory_[plane].data();
      frame.strides[plane] = columns + kGap;
    }
  }
  YuvFrame frame;

 private:
  static constexpr int kGap = 5;  // at the end of each row, as decoders leave it
  std::array<std::vector<std::uint8_t>, 3> memory_;
};

/// By the definition, a pixel at a time: each difference stands for its four pixels.
Image plain_rgb(const YuvFrame& frame) {
  const double red = frame.matrix == YuvMatrix::kBt601 ? 0.299 : frame.matrix == YuvMatrix::kBt709 ? 0.2126 : 0.2627;
  const double blue = frame.matrix == YuvMatrix::kBt601 ? 0.114 : frame.matrix == YuvMatrix::kBt709 ? 0.0722 : 0.0593;
  Image out(frame.width, frame.height);
  for (int y = 0; y < frame.height; ++y) {
    for (int x = 0; x < frame.width; ++x) {
      const double luma = frame.full_range ? frame.row(0, y)[x] : (frame.row(0, y)[x] - 16) * 255.0 / 219;
      const double scale = frame.full_range ? 1 : 255.0 / 224;
      const double u = (frame.row(1, y / 2)[x / 2] - 128) * scale;
      const double v = (frame.row(2, y / 2)[x / 2] - 128) * scale;
      const double r = luma + 2 * (1 - red) * v;
      const double b = luma + 2 * (1 - blue) * u;
      const double g = (luma - red * r - blue * b) / (1 - red - blue);
      std::uint8_t* pixel = out.row(y) + 3 * static_cast<std::size_t>(x);
      for (const double value : {r, g, b}) *pixel++ = static_cast<std::uint8_t>(std::clamp(std::lround(value), 0L, 255L));
    }
  }
  return out;
}

/// The greatest distance of two paths that are the same sums. Planes: two passes of each plane are rounded, so Y, U and V are off
/// by at most 1, which blue sees as 255/219 + 2 * 0.9407 * 255/224 = 3.3 and half a level of its own. RGB: rounded before and
/// after each of two passes, 1.5.
constexpr double kWorst = 3.3 + 0.5 + 1.5;
/// Of these independent roundings the standard deviation: each is sqrt(1/12); the first of two passes is averaged by the second.
/// Planes at most sqrt((1 + 1/2) / 12) of Y and U, weighted; RGB the same once and half a level.
const double kTypical = std::sqrt(1.5 / 12 * (1.17 * 1.17 + 2.15 * 2.15) + 1.0 / 12 + 1.5 / 12);

void expect_same(const Image& planes, const Image& rgb) {
  ASSERT_EQ(planes.width, rgb.width);
  ASSERT_EQ(planes.height, rgb.height);
  double worst = 0;
  double squares = 0;
  double sum = 0;
  for (std::size_t i = 0; i < rgb.pixels.size(); ++i) {
    const double off = double{1} * planes.pixels[i] - rgb.pixels[i];
    worst = std::max(worst, std::abs(off));
    squares += off * off;
    sum += off;
  }
  const auto count = static_cast<double>(rgb.pixels.size());
  EXPECT_LE(worst, kWorst);
  EXPECT_LE(std::sqrt(squares / count), kTypical);
  EXPECT_LE(std::abs(sum / count), 0.25);  // no shift: half of what a cut instead of a rounding would give
}

TEST(RgbToYuv, IsWhatTheRecommendationsSay) {
  const auto value = [](YuvMatrix matrix, bool full, std::size_t row, double r, double g, double b) {
    const YuvRow weights = rgb_to_yuv(matrix, full)[row];
    return std::lround(weights[0] * r + weights[1] * g + weights[2] * b + weights[3]);
  };
  // The colour bars of 100 % in BT.709: white 235 128 128, red 63 102 240, blue 32 240 118.
  EXPECT_EQ(value(YuvMatrix::kBt709, false, 0, 255, 255, 255), 235);
  EXPECT_EQ(value(YuvMatrix::kBt709, false, 1, 255, 255, 255), 128);
  EXPECT_EQ(value(YuvMatrix::kBt709, false, 0, 255, 0, 0), 63);
  EXPECT_EQ(value(YuvMatrix::kBt709, false, 1, 255, 0, 0), 102);
  EXPECT_EQ(value(YuvMatrix::kBt709, false, 2, 255, 0, 0), 240);
  EXPECT_EQ(value(YuvMatrix::kBt709, false, 0, 0, 0, 255), 32);
  EXPECT_EQ(value(YuvMatrix::kBt709, false, 1, 0, 0, 255), 240);
  EXPECT_EQ(value(YuvMatrix::kBt709, false, 2, 0, 0, 255), 118);
  EXPECT_EQ(value(YuvMatrix::kBt601, false, 0, 255, 0, 0), 81);
  EXPECT_EQ(value(YuvMatrix::kBt601, true, 0, 255, 255, 255), 255);
  EXPECT_EQ(value(YuvMatrix::kBt601, true, 0, 0, 255, 0), 150);
}

TEST(ResizeYuv, IsTheResizeOfTheRgb) {
  for (const YuvMatrix matrix : {YuvMatrix::kBt601, YuvMatrix::kBt709, YuvMatrix::kBt2020}) {
    for (const bool full : {false, true}) {
      for (const Filter filter : {Filter::kBilinear, Filter::kBicubic}) {
        const Waves waves(181, 95, matrix, full);
        expect_same(resize(waves.frame, 37, 29, filter, {0, 0, 37, 29}), resize(plain_rgb(waves.frame), 37, 29, filter));
      }
    }
  }
}

TEST(ResizeYuv, WindowsBeginAnywhere) {
  const Waves waves(210, 130, YuvMatrix::kBt709, false);
  const Image rgb = plain_rgb(waves.frame);
  for (const Window window : {Window{0, 0, 5, 5}, {7, 3, 20, 31}, {44, 9, 1, 2}, {60, 40, 10, 10}}) {
    expect_same(resize(waves.frame, 70, 50, Filter::kBicubic, window), resize(rgb, 70, 50, Filter::kBicubic, whole(rgb), window));
  }
}

TEST(ResizeYuv, OddEvenTinyAndEnlarged) {
  for (const auto& [width, height] : {std::pair{1, 1}, {2, 2}, {3, 1}, {1, 3}, {33, 64}, {64, 33}}) {
    SCOPED_TRACE(testing::Message() << width << " by " << height);
    const Waves waves(width, height, YuvMatrix::kBt709, false);
    expect_same(resize(waves.frame, width, height, Filter::kBilinear, {0, 0, width, height}), plain_rgb(waves.frame));
    expect_same(resize(waves.frame, 40, 30, Filter::kBilinear, {0, 0, 40, 30}),
                resize(plain_rgb(waves.frame), 40, 30, Filter::kBilinear));
  }
}

/// The classifier's promise: a frame lies in the network's rectangle as a photo of the same content does.
TEST(FitFrame, HasTheFramingOfAPhoto) {
  for (const Fit fit : {Fit::kLetterbox, Fit::kCrop, Fit::kSquash}) {
    for (const auto& [width, height] : {std::pair{192, 108}, {108, 192}, {40, 30}}) {
      SCOPED_TRACE(testing::Message() << name_of(fit) << ' ' << width << " by " << height);
      const Waves waves(width, height, YuvMatrix::kBt709, false);
      Preprocess preprocess;
      preprocess.width = preprocess.height = 48;
      preprocess.fit = fit;
      expect_same(fit_image(waves.frame, preprocess), fit_image(plain_rgb(waves.frame), preprocess));
    }
  }
}

}  // namespace
}  // namespace fovea
