// SPDX-License-Identifier: Apache-2.0
#include "image/resize.h"

#include <algorithm>
#include <cstring>

#include "image/resample_weights.h"
#include "image/resize_passes.h"

namespace fovea {
namespace {

// An axis whose samples map one to one needs no weights.
bool unchanged(int inputs, double begin, double end, int outputs) {
  return inputs == outputs && static_cast<float>(begin) == 0.0F && static_cast<float>(end) == static_cast<float>(inputs);
}

std::size_t samples(int pixels) { return static_cast<std::size_t>(pixels) * 3; }

// Columns made from `part` of the source; rows as they are.
Image across(const Image& source, const Window& part, const ResampleWeights& columns, const VectorTarget& target) {
  Image out(static_cast<int>(columns.spans.size()), part.height);
  resample_rows(source.row(part.top) + samples(part.left), samples(source.width), part.width, part.height, PackedWeights(columns),
                out.pixels.data(), target);
  return out;
}

// Rows made from `part` of the source; columns as they are.
Image down(const Image& source, const Window& part, const ResampleWeights& rows, const VectorTarget& target) {
  Image out(part.width, static_cast<int>(rows.spans.size()));
  for (int y = 0; y < out.height; ++y) {
    const auto [first, count] = rows.spans[static_cast<std::size_t>(y)];
    blend_rows(source.row(part.top + first) + samples(part.left), samples(source.width), rows.of(y), count, samples(part.width),
               out.row(y), target);
  }
  return out;
}

Image cut(const Image& source, const Window& part) {
  Image out(part.width, part.height);
  for (int y = 0; y < part.height; ++y) {
    std::memcpy(out.row(y), source.row(part.top + y) + samples(part.left), samples(part.width));
  }
  return out;
}

}  // namespace

// Pillow 13 goes down first where that takes more than twice as many pixels away as going across does.
bool down_first(int source_width, int source_height, int width, int height) {
  return source_height - height > 2 * std::max(0, source_width - width);
}

Image resize(const Image& source, int width, int height, Filter filter, const Box& box, const Window& window,
             const VectorTarget& target) {
  assert(width > 0 && height > 0 && source.width > 0 && source.height > 0);
  assert(box.left >= 0 && box.left < box.right && box.right <= source.width);
  assert(box.top >= 0 && box.top < box.bottom && box.bottom <= source.height);
  assert(window.left >= 0 && window.top >= 0 && window.left + window.width <= width && window.top + window.height <= height);
  if (window.width <= 0 || window.height <= 0) return Image(window.width, window.height);
  const bool same_columns = unchanged(source.width, box.left, box.right, width);
  const bool same_rows = unchanged(source.height, box.top, box.bottom, height);
  ResampleWeights columns;
  ResampleWeights rows;
  ResampleWeights::Span x{window.left, window.width};
  ResampleWeights::Span y{window.top, window.height};
  if (!same_columns) {
    columns = resample_weights(source.width, box.left, box.right, width, filter, window.left, window.width);
    x = localize(columns);
  }
  if (!same_rows) {
    rows = resample_weights(source.height, box.top, box.bottom, height, filter, window.top, window.height);
    y = localize(rows);
  }
  const Window part{x.first, y.first, x.count, y.count};
  if (same_columns && same_rows) return cut(source, part);
  if (same_rows) return across(source, part, columns, target);
  if (same_columns) return down(source, part, rows, target);
  if (down_first(source.width, source.height, width, height))
    return across(down(source, part, rows, target), {0, 0, part.width, window.height}, columns, target);
  return down(across(source, part, columns, target), {0, 0, window.width, part.height}, rows, target);
}

Image resize(const Image& source, int width, int height, Filter filter, const Box& box) {
  return resize(source, width, height, filter, box, {0, 0, width, height});
}

Image resize(const Image& source, int width, int height, Filter filter) {
  return resize(source, width, height, filter, whole(source));
}

}  // namespace fovea
