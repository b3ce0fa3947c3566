// SPDX-License-Identifier: Apache-2.0
#include "annotate/yuv_layer.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <vector>

#include "core/rng.h"
#include "image/yuv.h"

namespace fovea::annotation {
namespace {

/// A frame of one colour with memory of its own.
struct Flat {
  Flat(int width, int height, std::array<double, 3> rgb, YuvMatrix matrix = YuvMatrix::kBt709, bool full_range = false) {
    canvas = {.width = width, .height = height, .matrix = matrix, .full_range = full_range};
    const auto rows = rgb_to_yuv(matrix, full_range);
    for (std::size_t plane = 0; plane < 3; ++plane) {
      const int halves = plane == 0 ? 1 : 2;
      const YuvRow& row = rows[plane];
      const auto value = static_cast<std::uint8_t>(std::lround(row[0] * rgb[0] + row[1] * rgb[1] + row[2] * rgb[2] + row[3]));
      memory[plane].assign(static_cast<std::size_t>(width / halves) * static_cast<std::size_t>(height / halves), value);
      canvas.planes[plane] = memory[plane].data();
      canvas.strides[plane] = width / halves;
    }
  }
  [[nodiscard]] Image rgb() const {
    const YuvFrame frame{canvas.width,   canvas.height, {canvas.planes[0], canvas.planes[1], canvas.planes[2]},
                         canvas.strides, canvas.matrix, canvas.full_range};
    return resize(frame, frame.width, frame.height, Filter::kBilinear, {0, 0, frame.width, frame.height});
  }
  YuvCanvas canvas;
  std::array<std::vector<std::uint8_t>, 3> memory;
};

/// Squares of 4 by 4 pixels, so that halved planes can show them.
Layer squares(int width, int height, std::uint32_t seed) {
  Layer layer(width, height);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      Rng rng(seed, 0, static_cast<std::uint32_t>(y / 4 * 1000 + x / 4), 0);
      const std::uint32_t alpha = rng.below(256);
      std::uint32_t pixel = alpha;
      for (int c = 0; c < 3; ++c) pixel = pixel << 8 | rng.below(alpha + 1);  // premultiplied: no more than alpha
      layer.row(y)[x] = pixel;
    }
  }
  return layer;
}

/// Y, U and V are rounded when a layer is set and when it is laid over (1 together); of them each colour takes at most
/// 255/219 + 2 * 0.9407 * 255/224 = 3.31; RGB is rounded once more on both ways, and once by the frame's own colour (1.7).
constexpr int kRounding = 6;

TEST(YuvLayer, LooksLikeTheLayerOverRgb) {
  const std::array<double, 3> ground{180, 140, 90};
  for (const auto& [matrix, full] :
       {std::pair{YuvMatrix::kBt709, false}, {YuvMatrix::kBt601, true}, {YuvMatrix::kBt2020, false}}) {
    Flat flat(64, 40, ground, matrix, full);
    const Layer layer = squares(40, 24, 3);
    YuvLayer yuv;
    yuv.set(layer, flat.canvas);
    yuv.lay_over(8, 4, flat.canvas);
    Image expected(64, 40);
    for (std::size_t i = 0; i < expected.pixels.size(); ++i) expected.pixels[i] = static_cast<std::uint8_t>(ground[i % 3]);
    lay_over(layer, 8, 4, expected);
    const Image seen = flat.rgb();
    for (std::size_t i = 0; i < seen.pixels.size(); ++i) {
      ASSERT_NEAR(seen.pixels[i], expected.pixels[i], kRounding) << i / 3 % 64 << ' ' << i / 3 / 64;
    }
  }
}

TEST(YuvLayer, OpaqueAndTransparentAreExact) {
  Flat flat(16, 8, {10, 250, 130});
  const auto before = flat.memory;
  YuvLayer yuv;
  yuv.set(Layer(16, 8), flat.canvas);
  yuv.lay_over(0, 0, flat.canvas);
  EXPECT_EQ(flat.memory, before);
  Layer white(16, 8);
  white.pixels.assign(white.pixels.size(), 0xFFFFFFFF);
  yuv.set(white, flat.canvas);
  yuv.lay_over(0, 0, flat.canvas);
  for (const std::uint8_t value : flat.memory[0]) ASSERT_EQ(value, 235);
  for (const std::uint8_t value : flat.memory[2]) ASSERT_EQ(value, 128);
}

TEST(YuvLayer, AChangeOfAPartIsAsIfAllWereNew) {
  for (const int width : {70, 71}) {
    Layer layer = squares(width, 25, 5);
    Flat first(80, 30, {100, 100, 100});
    Flat second = Flat(80, 30, {100, 100, 100});
    YuvLayer grown;
    grown.set(layer, first.canvas);
    layer.row(13)[33] = 0x80402010;
    layer.row(24)[width - 1] = 0xFF00FF00;
    grown.set(layer, first.canvas);
    YuvLayer fresh;
    fresh.set(layer, second.canvas);
    grown.lay_over(2, 2, first.canvas);
    fresh.lay_over(2, 2, second.canvas);
    EXPECT_EQ(first.memory, second.memory) << width;
  }
}

TEST(YuvLayer, OtherColoursAreNoticed) {
  Layer red(8, 8);
  red.pixels.assign(red.pixels.size(), 0xFFFF0000);
  Flat limited(8, 8, {0, 0, 0});
  Flat full(8, 8, {0, 0, 0}, YuvMatrix::kBt601, true);
  YuvLayer yuv;
  yuv.set(red, limited.canvas);
  yuv.set(red, full.canvas);
  yuv.lay_over(0, 0, full.canvas);
  EXPECT_EQ(full.memory[0][0], 76);  // 0.299 * 255
}

}  // namespace
}  // namespace fovea::annotation
