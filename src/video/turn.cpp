// SPDX-License-Identifier: Apache-2.0
#include "video/turn.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace fovea::video {
namespace {

/// From where in the old plane the pixel at (0, 0) of the new one comes, and how far it is from there to the next in x and in y.
struct Walk {
  const std::uint8_t* first;
  std::ptrdiff_t in_x;
  std::ptrdiff_t in_y;
};

Walk walk_of(const std::uint8_t* plane, std::ptrdiff_t stride, int width, int height, int orientation) {
  const std::ptrdiff_t right = width - 1;
  const std::ptrdiff_t bottom = (height - 1) * stride;
  switch (orientation) {
    case 6: return {plane + bottom, -stride, 1};
    case 8: return {plane + right, stride, -1};
    default: return {plane + bottom + right, -1, -stride};
  }
}

/// Square by square, so that what is read in columns stays in the cache.
void turn_plane(const Walk& from, int width, int height, std::uint8_t* to) {
  constexpr int kSquare = 32;
  for (int top = 0; top < height; top += kSquare) {
    for (int left = 0; left < width; left += kSquare) {
      for (int y = top; y < std::min(top + kSquare, height); ++y) {
        const std::uint8_t* at = from.first + left * from.in_x + y * from.in_y;
        std::uint8_t* const row = to + static_cast<std::ptrdiff_t>(y) * width;
        for (int x = left; x < std::min(left + kSquare, width); ++x, at += from.in_x) row[x] = *at;
      }
    }
  }
}

}  // namespace

bool can_turn(const YuvFrame& frame, int orientation) {
  return frame.width % 2 == 0 && frame.height % 2 == 0 && (orientation == 3 || orientation == 6 || orientation == 8);
}

TurnedFrame turned(const YuvFrame& frame, int orientation) {
  TurnedFrame made{frame, nullptr};
  if (orientation != 3) std::swap(made.view.width, made.view.height);
  const std::size_t luma = static_cast<std::size_t>(frame.width) * static_cast<std::size_t>(frame.height);
  const auto memory = std::make_shared<std::vector<std::uint8_t>>(luma + luma / 2);
  std::uint8_t* to = memory->data();
  for (std::size_t plane = 0; plane < made.view.planes.size(); ++plane) {
    const int halves = plane == 0 ? 1 : 2;
    const int width = made.view.width / halves;
    const int height = made.view.height / halves;
    turn_plane(walk_of(frame.planes[plane], frame.strides[plane], frame.width / halves, frame.height / halves, orientation),
               width, height, to);
    made.view.planes[plane] = to;
    made.view.strides[plane] = width;
    to += static_cast<std::ptrdiff_t>(width) * height;
  }
  made.owner = memory;
  return made;
}

}  // namespace fovea::video
