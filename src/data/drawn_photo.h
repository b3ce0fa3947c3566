// Fovea: a photo of a batch with everything that was drawn for it, for whoever makes the pixels somewhere else.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "data/augment.h"
#include "image/image.h"

namespace fovea {

struct PhotoSize {
  int width = 0;  ///< 0: not known
  int height = 0;
};

/// How the samples of one axis are made: `stride` numbers for each, namely the first source sample, how many there are, and their
/// weights, which sum to about 1 << kWeightBits (image/resample_weights.h).
struct AxisTable {
  int stride = 0;
  std::vector<std::int32_t> values;
};

/// Of outputs [first, first + count) of `outputs` that sample [begin, end) of `inputs`. An axis that does not change gets
/// weights of 1 and 0, which give its samples as they are.
[[nodiscard]] AxisTable axis_table(int inputs, double begin, double end, int outputs, Filter filter, int first, int count);

struct DrawnPhoto {
  PhotoSize size;
  std::vector<std::uint8_t> pixels;  ///< (height, width, 3) of the photo; none where somebody holds them already
  AugmentPlan plan;
  // What plan.cut comes to. First across or down, rounded and cut to 8 bits, then the other way.
  Window source;      ///< of the photo: what the axes count in
  Window place;       ///< of the input, before it is flipped: where the samples lie; grey around
  AxisTable columns;  ///< place.width of them
  AxisTable rows;     ///< place.height of them
  bool goes_down_first = false;

  [[nodiscard]] bool usable() const { return size.width > 0; }
};

/// `fitted`: the photo's pixels are the input as they are.
[[nodiscard]] DrawnPhoto drawn_photo(PhotoSize size, std::vector<std::uint8_t> pixels, const Preprocess& preprocess,
                                     AugmentPlan plan, bool fitted);

}  // namespace fovea
