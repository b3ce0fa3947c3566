// SPDX-License-Identifier: Apache-2.0
#include "data/drawn_photo.h"

#include <algorithm>
#include <utility>

#include "image/resample_weights.h"

namespace fovea {

AxisTable axis_table(int inputs, double begin, double end, int outputs, Filter filter, int first, int count) {
  const ResampleWeights weights = resample_weights(inputs, begin, end, outputs, filter, first, count);
  AxisTable table{weights.stride + 2, {}};
  table.values.reserve(static_cast<std::size_t>(table.stride) * static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) {
    const auto [from, taps] = weights.spans[static_cast<std::size_t>(i)];
    table.values.insert(table.values.end(), {from, taps});
    table.values.insert(table.values.end(), weights.of(i), weights.of(i) + weights.stride);
  }
  return table;
}

DrawnPhoto drawn_photo(PhotoSize size, std::vector<std::uint8_t> pixels, const Preprocess& preprocess, AugmentPlan plan,
                       bool fitted) {
  DrawnPhoto photo{.size = size, .pixels = std::move(pixels), .plan = std::move(plan)};
  const Window whole{0, 0, size.width, size.height};
  const Window& cut = photo.plan.cut;
  // Of what is scaled: the part, and the size that the whole of it would have.
  Window part{0, 0, cut.width, cut.height};
  Fitting to{preprocess.width, preprocess.height, {0, 0, preprocess.width, preprocess.height}, 0, 0};
  if (photo.plan.stretched || fitted) {
    photo.source = whole;
    part = cut;
  } else {
    photo.source = cut;
    to = fitting_of(cut.width, cut.height, preprocess);
  }
  photo.place = {to.left, to.top, to.window.width, to.window.height};
  photo.columns = axis_table(photo.source.width, part.left, part.left + part.width, to.width, preprocess.filter, to.window.left,
                             to.window.width);
  photo.rows = axis_table(photo.source.height, part.top, part.top + part.height, to.height, preprocess.filter, to.window.top,
                          to.window.height);
  photo.goes_down_first = down_first(photo.source.width, photo.source.height, to.width, to.height);
  return photo;
}

}  // namespace fovea
