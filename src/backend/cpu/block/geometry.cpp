// SPDX-License-Identifier: Apache-2.0
#include "backend/cpu/block/geometry.h"

#include <unistd.h>

#include "backend/cpu/kernels/block_depthwise.h"

namespace fovea::cpu::block {
namespace {

/// Weights of all parts' sums that are worth writing, reading and adding up beside the work of a part.
constexpr std::int64_t kFloatsOfSums = std::int64_t{2} << 20;
constexpr std::int64_t kLeastParts = 8;
constexpr std::int64_t kMostParts = 16;

/// Of a core: what processors report, or the least that any of the last ten years has.
std::int64_t second_level_cache() {
#ifdef _SC_LEVEL2_CACHE_SIZE
  if (const long bytes = ::sysconf(_SC_LEVEL2_CACHE_SIZE); bytes > 0) return std::clamp<std::int64_t>(bytes, 1 << 18, 1 << 22);
#endif
  return std::int64_t{1} << 18;
}

std::int64_t up(std::int64_t columns) { return (columns + kDepthwiseColumns - 1) / kDepthwiseColumns * kDepthwiseColumns; }
std::int64_t floor_div(std::int64_t a, std::int64_t b) { return a >= 0 ? a / b : -((b - 1 - a) / b); }

}  // namespace

Geometry::Geometry(const Setup& setup, const graph::InvertedResidual& operation)
    : Geometry(setup, operation, depthwise_weight(operation), depthwise_weight(operation) + 2) {}

Geometry::Geometry(const Setup& setup, const graph::InvertedResidualTrain& operation)
    : Geometry(setup, without_statistics(operation), depthwise_weight(operation), depthwise_weight(operation) + 3) {}

graph::InvertedResidual without_statistics(const graph::InvertedResidualTrain& op) {
  return {.window = op.window, .activation = op.activation, .expands = op.expands, .precision = op.precision};
}

Geometry::Geometry(const Setup& setup, const graph::InvertedResidual& operation, std::size_t depthwise, std::size_t project)
    : op(operation) {
  const Shape& x = setup.input(0);
  images = x[0];
  height = x[1];
  width = x[2];
  in = x[3];
  inner = setup.input(depthwise)[0];
  out = setup.input(project)[0];
  out_height = graph::window_extent(height, op.window.kernel_h, op.window.stride, op.window.pad.top, op.window.pad.bottom);
  out_width = graph::window_extent(width, op.window.kernel_w, op.window.stride, op.window.pad.left, op.window.pad.right);
}

std::vector<Range> Geometry::parts_with_sums() const {
  const std::int64_t weights = inner * ((op.expands ? in : 0) + out + taps());
  const std::int64_t most = std::clamp(kFloatsOfSums / weights, kLeastParts, kMostParts);
  // Parts of one size, so that threads finish together.
  std::int64_t count = std::min(images, most);
  while (images % count != 0 && count > most / 2) --count;
  if (images % count != 0) count = std::min(images, most);
  std::vector<Range> parts;
  for (std::int64_t part = 0; part < count; ++part) {
    const Range range = part_of(images, count, part);
    parts.push_back({range.begin * out_height, range.end * out_height});
  }
  return parts;
}

std::vector<Range> Geometry::parts_for(int threads) const {
  const std::int64_t rows = images * out_height;
  // Shorter ones would make more rows of x for their margins than for themselves.
  const std::int64_t most = std::max(images, rows / op.window.kernel_h);
  const std::int64_t count = std::clamp<std::int64_t>(threads, 1, most);
  std::vector<Range> parts;
  for (std::int64_t part = 0; part < count; ++part) parts.push_back(part_of(rows, count, part));
  return parts;
}

bool Geometry::by_channels(int threads) const { return threads > 1 && images == 1 && op.expands && in + out >= height * width; }

bool Geometry::supports(const graph::InvertedResidual& op) {
  const auto& [kernel_h, kernel_w, stride, pad] = op.window;
  return (kernel_w == 3 || kernel_w == 5) && (stride == 1 || stride == 2) && kernel_h <= kMaxDepthwiseRows &&
         op.activation != graph::Activation::kSilu;
}

Rings::Rings(const Geometry& g, std::span<const Range> parts, std::int64_t rows, Spacing spacing) : made(0), done(0) {
  const auto& [kernel_h, kernel_w, stride, pad] = g.op.window;
  const auto take_in = [&](const Band& band) {
    made = std::max(made, band.made.size());
    done = std::max(done, band.done.size());
    // What is still to be read: from the first row that is not done, or that the first row of y sees.
    std::int64_t x_first = std::min(band.done.begin, band.made.begin);
    for (int tap = kernel_h - 1; tap >= 0; --tap) {
      if (const std::int64_t row = row_of_x(g, band.out.begin, tap); row >= 0) x_first = std::min(x_first, row);
    }
    expanded.rows = std::max({expanded.rows, band.made.end - x_first, std::int64_t{1}});
    std::int64_t y_first = band.out.begin;
    for (std::int64_t row = band.done.begin; row < band.done.end; ++row) {
      for (int tap = 0; tap < kernel_h; ++tap) {
        if (const std::int64_t y = row_of_y(g, row, tap); y >= 0) y_first = std::min(y_first, y);
      }
    }
    gradient.rows = std::max(gradient.rows, band.out.end - y_first);
  };
  for (const Range& part : parts) for_bands(g, part, rows, take_in);
  expanded.left = pad.left;
  expanded.width = std::max((up(g.out_width) - 1) * stride + kernel_w, pad.left + up(g.width));
  // As block_depthwise_backward meets them: columns of four positions of x, and the window left of them.
  const std::int64_t phase = pad.left % stride;
  const std::int64_t first = (pad.left - phase) / stride;
  gradient.left = std::max<std::int64_t>(0, -(first + floor_div(phase - (kernel_w - 1), stride)));
  const std::int64_t last =
      (up(g.width) - kDepthwiseColumns + pad.left - phase) / stride + floor_div(kDepthwiseColumns - 1 + phase, stride);
  gradient.width = gradient.left + std::max(g.out_width, last + 1);
  if (spacing == Spacing::kPairs) {
    // What is read begins and ends with a pair, and the last one may belong to the next.
    for (Ring* const ring : {&expanded, &gradient}) {
      const std::int64_t left = even(ring->left);
      ring->width = even(left + ring->width - ring->left + 3);
      ring->left = left;
    }
  }
}

std::int64_t band_rows(std::span<const Range> parts, std::int64_t bytes) {
  static const std::int64_t cache = second_level_cache();
  std::int64_t longest = 1;
  for (const Range& part : parts) longest = std::max(longest, part.size());
  return std::clamp<std::int64_t>(cache / 2 / bytes, 1, longest);
}

}  // namespace fovea::cpu::block
