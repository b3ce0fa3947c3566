// SPDX-License-Identifier: Apache-2.0
#include "annotate/yuv_layer.h"

#include <algorithm>
#include <cassert>
#include <cmath>

#include "image/yuv.h"

namespace fovea::annotation {
namespace {

constexpr int kBits = 16;  // of the weights' fractions; 4 pixels of 8 bits and weights below 1 stay far below 31 bits

/// One row of rgb_to_yuv in fixed point. What is added to a colour is added in the share of its alpha.
struct Weights {
  int red, green, blue, alpha;

  explicit Weights(const YuvRow& row)
      : red(fixed(row[0])), green(fixed(row[1])), blue(fixed(row[2])), alpha(fixed(row[3] / 255)) {}

  [[nodiscard]] int of(int r, int g, int b, int a) const { return red * r + green * g + blue * b + alpha * a; }

 private:
  static int fixed(double value) { return static_cast<int>(std::lround(value * (1 << kBits))); }
};

std::uint8_t byte(int sum, int shift) {
  return static_cast<std::uint8_t>(std::clamp((sum + (1 << (shift - 1))) >> shift, 0, 255));
}

struct Sum {
  int r = 0, g = 0, b = 0, a = 0;
  void add(std::uint32_t pixel) {
    r += static_cast<int>((pixel >> 16) & 255);
    g += static_cast<int>((pixel >> 8) & 255);
    b += static_cast<int>(pixel & 255);
    a += static_cast<int>(pixel >> 24);
  }
};

/// `to` = values + to * rests / 255, rounded. x / 255 is (x + 128 + (x + 128) / 256) / 256, exactly, up to 255 * 255.
void blend_row(const std::uint8_t* values, const std::uint8_t* rests, int count, std::uint8_t* to) {
  for (int x = 0; x < count; ++x) {
    const auto product = static_cast<std::uint16_t>(to[x] * rests[x] + 128);
    const auto kept = static_cast<std::uint16_t>(static_cast<std::uint16_t>(product + (product >> 8)) >> 8);
    to[x] = static_cast<std::uint8_t>(std::min<std::uint16_t>(255, static_cast<std::uint16_t>(values[x] + kept)));
  }
}

}  // namespace

void YuvLayer::Plane::resize(int width_in, int height_in) {
  width = width_in;
  height = height_in;
  values.resize(static_cast<std::size_t>(width) * static_cast<std::size_t>(height));
  rests.resize(values.size());
}

void YuvLayer::set(const Layer& layer, const YuvCanvas& colours) {
  constexpr int kBlock = 32;  // columns; of two rows
  const bool anew = layer.width != layer_.width || layer.height != layer_.height || colours.matrix != matrix_ ||
                    colours.full_range != full_range_;
  if (anew) {
    layer_ = layer;
    matrix_ = colours.matrix;
    full_range_ = colours.full_range;
    planes_[0].resize(layer.width, layer.height);
    for (const std::size_t plane : {1, 2}) planes_[plane].resize((layer.width + 1) / 2, (layer.height + 1) / 2);
  }
  for (int top = 0; top < layer.height; top += 2) {
    const int bottom = std::min(top + 2, layer.height);
    for (int left = 0; left < layer.width; left += kBlock) {
      const int right = std::min(left + kBlock, layer.width);
      bool same = !anew;
      for (int y = top; y < bottom; ++y) {
        const bool row_same = std::equal(layer.row(y) + left, layer.row(y) + right, layer_.row(y) + left);
        if (!row_same) std::copy(layer.row(y) + left, layer.row(y) + right, layer_.row(y) + left);
        same = same && row_same;
      }
      if (!same) set_block(left, top, right, bottom);
    }
  }
}

void YuvLayer::set_block(int left, int top, int right, int bottom) {
  const std::array<YuvRow, 3> rows = rgb_to_yuv(matrix_, full_range_);
  const Weights luma(rows[0]);
  for (int y = top; y < bottom; ++y) {
    for (int x = left; x < right; ++x) {
      Sum pixel;
      pixel.add(layer_.row(y)[x]);
      planes_[0].values[planes_[0].at(x, y)] = byte(luma.of(pixel.r, pixel.g, pixel.b, pixel.a), kBits);
      planes_[0].rests[planes_[0].at(x, y)] = static_cast<std::uint8_t>(255 - pixel.a);
    }
  }
  const Weights u(rows[1]);
  const Weights v(rows[2]);
  for (int x = left; x < right; x += 2) {
    Sum four;  // those beyond an odd edge are transparent
    for (int y = top; y < bottom; ++y) {
      for (int column = x; column < std::min(x + 2, right); ++column) four.add(layer_.row(y)[column]);
    }
    const std::size_t at = planes_[1].at(x / 2, top / 2);
    planes_[1].values[at] = byte(u.of(four.r, four.g, four.b, four.a), kBits + 2);
    planes_[2].values[at] = byte(v.of(four.r, four.g, four.b, four.a), kBits + 2);
    planes_[1].rests[at] = planes_[2].rests[at] = static_cast<std::uint8_t>(255 - (four.a + 2) / 4);
  }
}

void YuvLayer::lay_over(int left, int top, const YuvCanvas& frame) const {
  assert(left % 2 == 0 && top % 2 == 0 && left >= 0 && top >= 0);
  assert(left + planes_[0].width <= frame.width && top + planes_[0].height <= frame.height);
  for (std::size_t i = 0; i < planes_.size(); ++i) {
    const Plane& plane = planes_[i];
    const int halves = i == 0 ? 1 : 2;
    for (int y = 0; y < plane.height; ++y) {
      const std::size_t from = plane.at(0, y);
      blend_row(plane.values.data() + from, plane.rests.data() + from, plane.width,
                frame.row(i, top / halves + y) + left / halves);
    }
  }
}

}  // namespace fovea::annotation
