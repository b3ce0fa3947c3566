// SPDX-License-Identifier: Apache-2.0
#include "backend/cpu/block/f32_bands.h"

#include <algorithm>

#include "backend/cpu/block/passes.h"

namespace fovea::cpu::block {

using namespace f32_memory;
using graph::Activation;

F32Bands::F32Bands(Target target, const graph::Window& window)
    : products_(block_kernels(target)),
      depthwise_(block_depthwise(target, window)),
      depthwise_backward_(block_depthwise_backward(target, window)) {}

void F32Bands::clear(const Geometry& g, const Rings& rings, const Work& work, bool backward, Range blocks) const {
  const auto clear_ring = [&](const Ring& ring, std::int64_t columns, float* data) {
    clear_margins(ring, columns, blocks.size(), kBlockChannels, data + blocks.begin * block_of(ring));
  };
  clear_ring(rings.expanded, g.width, work.expanded);
  if (backward) clear_ring(rings.gradient, g.out_width, work.gradient);
}

void F32Bands::number(const Work& work) const {
  const std::int64_t positions = std::max({work.y_positions, work.made_positions, work.done_positions});
  for (std::int64_t p = 0; p < positions; ++p) work.in_order[p] = static_cast<std::int32_t>(p * kBlockChannels);
}

void F32Bands::begin(const Geometry& g, const Rings& rings, const Work& work, bool backward) const {
  clear(g, rings, work, backward, {0, blocks_of(g.inner)});
  number(work);
}

void F32Bands::take_in(const Geometry& g, const Rings& rings, const Work& work, const Band& band, const float* x) const {
  const std::int64_t positions = band.made.size() * g.width;
  const float* rows = x + band.made.begin * g.width * g.in;
  find_places(rings.expanded, band.made, g.width, work.places);
  if (g.op.expands) {
    products_.to_blocks(rows, positions, g.in, {work.narrow, work.made_positions * kBlockChannels, work.in_order});
  } else {
    products_.to_blocks(rows, positions, g.in, {work.expanded, block_of(rings.expanded), work.places});
  }
}

void F32Bands::expand_blocks(const Geometry& g, const Rings& rings, const Weights& weights, const Work& work, const Band& band,
                             Range blocks) const {
  if (!g.op.expands) return;
  const std::int64_t block = work.made_positions * kBlockChannels, positions = band.made.size() * g.width;
  products_.expand({work.narrow, block, positions, g.in, weights.expand, blocks.end, blocks.begin}, weights.expand_bias,
                   g.op.activation, {work.expanded, block_of(rings.expanded), work.places});
}

void F32Bands::expand(const Geometry& g, const Rings& rings, const Weights& weights, const Work& work, const Band& band,
                      const float* x) const {
  take_in(g, rings, work, band, x);
  expand_blocks(g, rings, weights, work, band, {0, blocks_of(g.inner)});
}

void F32Bands::depthwise(const Geometry& g, const Rings& rings, const Weights& weights, const Work& work, const Band& band,
                         Activation activation) const {
  depthwise_blocks(g, rings, weights, work, band, activation, {0, blocks_of(g.inner)});
}

void F32Bands::depthwise_blocks(const Geometry& g, const Rings& rings, const Weights& weights, const Work& work, const Band& band,
                                Activation activation, Range blocks) const {
  const float* const expanded = work.expanded + blocks.begin * block_of(rings.expanded);
  BlockDepthwiseRow row{};
  row.x_block = block_of(rings.expanded);
  row.kernel_h = g.op.window.kernel_h;
  row.w = weights.depthwise + blocks.begin * g.taps() * kBlockChannels;
  row.b = weights.depthwise_bias + blocks.begin * kBlockChannels;
  row.activation = activation;
  row.y_block = work.y_positions * kBlockChannels;
  row.out_width = g.out_width;
  row.blocks = blocks.size();
  for (std::int64_t y = band.out.begin; y < band.out.end; ++y) {
    for (int tap = 0; tap < row.kernel_h; ++tap) {
      row.x[tap] = expanded + (rings.expanded.at(row_of_x(g, y, tap)) - rings.expanded.left) * kBlockChannels;
    }
    row.y = work.filtered + blocks.begin * row.y_block + (y - band.out.begin) * g.out_width * kBlockChannels;
    depthwise_(row);
  }
}

void F32Bands::through_depthwise(const Geometry& g, const Rings& rings, const Weights& weights, const Work& work,
                                 const Band& band, const Sums& sums) const {
  BlockDepthwiseBackwardRow row{};
  row.x_block = block_of(rings.expanded);
  row.g_block = block_of(rings.gradient);
  row.kernel_h = g.op.window.kernel_h;
  row.left = g.op.window.pad.left;
  row.w = weights.depthwise;
  row.activation = g.op.expands ? g.op.activation : Activation::kNone;
  row.dx_block = work.done_positions * kBlockChannels;
  row.dw = sums.depthwise;
  row.db = sums.expand_bias;
  row.width = g.width;
  row.blocks = blocks_of(g.inner);
  for (std::int64_t x = band.done.begin; x < band.done.end; ++x) {
    row.x = work.expanded + rings.expanded.at(x) * kBlockChannels;
    row.dx = work.expanded_gradient + (x - band.done.begin) * g.width * kBlockChannels;
    find_met_rows(g, rings.gradient, x, work.gradient, kBlockChannels, row);
    depthwise_backward_(row);
  }
}

}  // namespace fovea::cpu::block
