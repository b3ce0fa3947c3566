// Fovea: 8-bit 4:2:0 pictures: their colours, and a smaller RGB picture straight from their planes.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>

#include "fovea/yuv_frame.h"
#include "image/image.h"
#include "image/preprocess.h"
#include "image/resize.h"

namespace fovea {

/// R, G, B of 0 to 255 to one of Y, U, V: the weights of the three, and what is added.
using YuvRow = std::array<double, 4>;
/// Y, U and V: ITU-R BT.601-7, BT.709-6, BT.2020-2, digital representation with 8 bits.
[[nodiscard]] std::array<YuvRow, 3> rgb_to_yuv(YuvMatrix matrix, bool full_range);

/// `window` of the frame scaled to width x height, as RGB. What `resize` gives of the whole frame as RGB with each difference of
/// colour repeated for its four pixels, but for rounding, and for colours outside of RGB, which are clipped after the sum and not
/// before. Rows are summed first, so that most of the frame is read once.
[[nodiscard]] Image resize(const YuvFrame& frame, int width, int height, Filter filter, const Window& window);

/// fit_image of a photo for a frame, without making RGB of all of it: the same place and filter, equal but for rounding.
[[nodiscard]] Image fit_image(const YuvFrame& frame, const Preprocess& preprocess);

}  // namespace fovea
