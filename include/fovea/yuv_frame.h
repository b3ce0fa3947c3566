// Fovea: a picture as cameras and video decoders have it.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace fovea {

/// How luma and the differences of colour are weighed: ITU-R BT.601, BT.709, and BT.2020 with non-constant luminance.
enum class YuvMatrix : std::uint8_t { kBt601, kBt709, kBt2020 };

/// 8-bit 4:2:0: luma Y (height, width) and the differences U and V, each ((height + 1) / 2, (width + 1) / 2). A view: the planes
/// belong to somebody else.
template <class Byte>
struct YuvPlanes {
  int width = 0;
  int height = 0;
  std::array<Byte*, 3> planes{};            ///< Y, U, V
  std::array<std::ptrdiff_t, 3> strides{};  ///< bytes from a row to the next
  YuvMatrix matrix = YuvMatrix::kBt709;
  bool full_range = false;  ///< 0 to 255; otherwise luma has 16 to 235 and the differences 16 to 240

  [[nodiscard]] Byte* row(std::size_t plane, int y) const { return planes[plane] + y * strides[plane]; }
};
using YuvFrame = YuvPlanes<const std::uint8_t>;
using YuvCanvas = YuvPlanes<std::uint8_t>;

}  // namespace fovea
