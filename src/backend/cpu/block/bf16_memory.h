// Fovea: what a block with bf16 operands keeps in memory: packed weights, sums, a thread's workspace (layouts:
// kernels/bf16/products.h). SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <utility>

#include "backend/cpu/block/geometry.h"
#include "backend/cpu/block/workspace.h"
#include "backend/cpu/kernels/bf16/depthwise.h"
#include "backend/cpu/kernels/bf16/products.h"

namespace fovea::cpu::block::bf16_memory {

using bf16::Bf16;
using bf16::blocks_of;
using bf16::channel_at;
using bf16::even_odd_index_of;
using bf16::kBlock;
using bf16::kTile;
using bf16::Order;
using bf16::tiles_of;

/// Positions up to whole tiles.
[[nodiscard]] constexpr std::int64_t whole(std::int64_t positions) { return (positions + 31) / 32 * 32; }

/// A bias in blocks, even channels first if so ordered, zeros beyond the last channel.
inline void pack_bias(const float* bias, std::int64_t channels, Order order, float* packed) {
  for (std::int64_t block = 0; block < blocks_of(channels); ++block) {
    for (std::int64_t i = 0; i < kBlock; ++i) {
      const std::int64_t channel = block * kBlock + channel_at(order, i);
      *packed++ = channel < channels ? bias[channel] : 0.0F;
    }
  }
}

/// From sums (block, all_rows, 32), even channels first, of which the first `rows` rows are wanted, to any strides.
inline void unpack_rows(const Context& context, const float* packed, std::int64_t rows, std::int64_t all_rows,
                        std::int64_t channels, std::int64_t row_stride, std::int64_t channel_stride, float* out) {
  parallel_for(context, blocks_of(channels), [&](std::int64_t block) {
    const auto one = [&](std::int64_t row, std::int64_t i) {
      const std::int64_t channel = block * kBlock + i;
      const std::int64_t index = even_odd_index_of(i);
      if (channel < channels)
        out[channel * channel_stride + row * row_stride] = packed[(block * all_rows + row) * kBlock + index];
    };
    if (channel_stride < row_stride) {  // neighbours in memory follow each other
      for (std::int64_t row = 0; row < rows; ++row) {
        for (std::int64_t i = 0; i < kBlock; ++i) one(row, i);
      }
    } else {
      for (std::int64_t i = 0; i < kBlock; ++i) {
        for (std::int64_t row = 0; row < rows; ++row) one(row, i);
      }
    }
  });
}

[[nodiscard]] inline bf16::DepthwiseTaps taps_of(const Geometry& g) { return {g.op.window, g.inner}; }

struct Weights {
  Weights(const Geometry& g, bool backward, std::byte* memory) {
    Pieces pieces(memory);
    const std::int64_t blocks = blocks_of(g.inner);
    const auto operand = [&](std::int64_t depth, std::int64_t columns) {
      return pieces.take<Bf16>(blocks_of(depth) * blocks_of(columns) * 2 * kTile);
    };
    if (g.op.expands) {
      expand = operand(g.in, g.inner);
      expand_bias = pieces.take<float>(blocks * kBlock);
    }
    depthwise = pieces.take<Bf16>(taps_of(g).forward_numbers());
    depthwise_bias = pieces.take<float>(blocks * kBlock);
    if (backward) {
      depthwise_back = pieces.take<Bf16>(taps_of(g).backward_numbers());
      project_back = operand(g.out, g.inner);
      if (g.op.expands) expand_back = operand(g.inner, g.in);
    } else {
      project = operand(g.inner, g.out);
      project_bias = pieces.take<float>(blocks_of(g.out) * kBlock);
    }
    bytes = pieces.bytes();
  }

  void pack(const Geometry& g, const Context& context, std::span<const TensorView> inputs) const {
    const std::size_t wd = g.op.expands ? 3 : 1;
    const auto operand = [&](const float* w, std::int64_t depth, std::int64_t columns, std::int64_t depth_stride,
                             std::int64_t column_stride, Order depth_order, Order column_order, Bf16* packed) {
      parallel_for(context, blocks_of(columns), [&](std::int64_t block) {
        bf16::pack_operand(w, depth, columns, depth_stride, column_stride, depth_order, column_order, block, packed);
      });
    };
    if (g.op.expands) {
      operand(inputs[1].f32(), g.in, g.inner, 1, g.in, Order::kNatural, Order::kEvenOdd, expand);
      pack_bias(inputs[2].f32(), g.inner, Order::kEvenOdd, expand_bias);
    }
    pack_depthwise(g, context, inputs[wd].f32());
    pack_bias(inputs[wd + 1].f32(), g.inner, Order::kEvenOdd, depthwise_bias);
    const float* wp = inputs[wd + 2].f32();
    if (project_back != nullptr) {
      operand(wp, g.out, g.inner, g.inner, 1, Order::kNatural, Order::kEvenOdd, project_back);
      if (g.op.expands) operand(inputs[1].f32(), g.inner, g.in, g.in, 1, Order::kEvenOdd, Order::kNatural, expand_back);
    } else {
      operand(wp, g.inner, g.out, 1, g.inner, Order::kNatural, Order::kNatural, project);
      pack_bias(inputs[wd + 3].f32(), g.out, Order::kNatural, project_bias);
    }
  }

  void pack_depthwise(const Geometry& g, const Context& context, const float* wd) const {
    parallel_for(context, blocks_of(g.inner), [&](std::int64_t block) {
      taps_of(g).pack_forward(wd, block, depthwise);
      if (depthwise_back != nullptr) taps_of(g).pack_backward(wd, block, depthwise_back);
    });
  }

  Bf16* expand = nullptr;
  float* expand_bias = nullptr;
  Bf16* depthwise = nullptr;
  float* depthwise_bias = nullptr;
  Bf16* project = nullptr;
  float* project_bias = nullptr;
  Bf16* depthwise_back = nullptr;
  Bf16* project_back = nullptr;
  Bf16* expand_back = nullptr;
  std::size_t bytes = 0;
};

/// What a part adds up.
struct Sums {
  Sums(const Geometry& g, float* memory) {
    Pieces pieces(reinterpret_cast<std::byte*>(memory));
    const std::int64_t inner = blocks_of(g.inner) * kBlock;
    expand = pieces.take<float>(g.op.expands ? inner * tiles_of(g.in) * 16 : 0);
    expand_bias = pieces.take<float>(inner);
    depthwise = pieces.take<float>(inner * g.taps());
    depthwise_bias = pieces.take<float>(inner);
    project = pieces.take<float>(inner * tiles_of(g.out) * 16);
    project_bias = pieces.take<float>(g.out);
    floats = static_cast<std::int64_t>(pieces.bytes() / sizeof(float));
  }

  float* expand;       ///< (block, in up to 16, 32)
  float* expand_bias;  ///< (block, 32)
  float* depthwise;    ///< (block, taps, 32)
  float* depthwise_bias;
  float* project;       ///< (block, out up to 16, 32)
  float* project_bias;  ///< (out)
  std::int64_t floats;
};

/// Positions of a band's rows; where positions come in pairs, each row with an even number of them.
struct Positions {
  Positions(std::int64_t most_rows, std::int64_t row_width, bool in_pairs)
      : width(row_width), pitch(in_pairs ? even(row_width) : row_width), most(whole(most_rows * pitch + 1)) {}
  [[nodiscard]] std::int64_t of(std::int64_t rows) const { return rows * pitch; }

  std::int64_t width;
  std::int64_t pitch;
  std::int64_t most;  ///< whole tiles of them
};

struct Work {
  Work(const Geometry& g, const Rings& rings, std::int64_t rows, bool backward, std::byte* memory)
      : y(rows, g.out_width, backward), made(rings.made, g.width, false), done(rings.done, g.width, true) {
    Pieces pieces(memory);
    const std::int64_t blocks = blocks_of(g.inner);
    const std::int64_t most = std::max({y.most, made.most, done.most});
    expanded = pieces.take<Bf16>(blocks * rings.expanded.positions() * kBlock);
    filtered = pieces.take<Bf16>(blocks * y.most * kBlock);
    upcoming = pieces.take<bf16::Upcoming>(1);
    seen = pieces.take<const Bf16*>(rows * g.op.window.kernel_h);
    places = pieces.take<std::int32_t>(most);
    y_packed = pieces.take<std::int32_t>(most);
    x_packed = pieces.take<std::int32_t>(most);
    y_plain = pieces.take<std::int32_t>(most);
    x_plain = pieces.take<std::int32_t>(most);
    if (g.op.expands) x = pieces.take<Bf16>(blocks_of(g.in) * std::max(made.most, done.most) * kBlock);
    if (!backward) {
      bytes = pieces.bytes();
      return;
    }
    met = pieces.take<bf16::MetRow>(rings.done);
    gradient = pieces.take<Bf16>(blocks * rings.gradient.positions() * kBlock);
    dy = pieces.take<Bf16>(blocks_of(g.out) * y.most * kBlock);
    turned = pieces.take<Bf16>(16 * std::max(tiles_of(g.out) * y.most, tiles_of(g.in) * done.most));
    if (g.op.expands) {
      expanded_gradient = pieces.take<Bf16>(blocks * done.most * kBlock);
      expanded_pairs = pieces.take<Bf16>(blocks * done.most * kBlock);
    } else {
      exact = pieces.take<float>(blocks * done.most * kBlock);
    }
    bytes = pieces.bytes();
  }

  Positions y, made, done;
  Bf16* expanded = nullptr;            ///< ring by pairs: x after the first activation
  Bf16* filtered = nullptr;            ///< after the second: in blocks, or in the backward pass by pairs
  bf16::Upcoming* upcoming = nullptr;  ///< what the next band reads
  const Bf16** seen = nullptr;         ///< rows of x under those of y
  bf16::MetRow* met = nullptr;         ///< rows of the gradient that those of x meet
  Bf16* x = nullptr;                   ///< in blocks
  Bf16* gradient = nullptr;            ///< ring by pairs: of y before the second activation
  Bf16* dy = nullptr;                  ///< in blocks
  Bf16* turned = nullptr;              ///< dy, then x
  Bf16* expanded_gradient = nullptr;   ///< in blocks, even channels first
  Bf16* expanded_pairs = nullptr;      ///< the same by pairs
  float* exact = nullptr;              ///< the same, of a block that does not expand
  std::int32_t* places = nullptr;      ///< in a ring
  std::int32_t* y_packed = nullptr;    ///< of rows of y, and of x, among positions in blocks
  std::int32_t* x_packed = nullptr;
  std::int32_t* y_plain = nullptr;  ///< and of positions among rows
  std::int32_t* x_plain = nullptr;
  std::size_t bytes = 0;
};

/// The same for every band: where row positions lie when every row is `pitch` long, and back.
inline void number_positions(const Positions& positions, std::int64_t most, std::int32_t* packed, std::int32_t* plain) {
  for (std::int64_t p = 0; p < most; ++p) {
    const auto [row, column] = std::pair(p / positions.pitch, p % positions.pitch);
    plain[p] = column < positions.width ? static_cast<std::int32_t>(row * positions.width + column) : -1;
    packed[p] = static_cast<std::int32_t>((p / positions.width * positions.pitch + p % positions.width) * kBlock);
  }
}

/// Zeros where no row of the tensor has a position: between rows, and up to a whole tile.
inline void clear_gaps(const Positions& positions, std::int64_t rows, std::int64_t blocks, Bf16* data) {
  for (std::int64_t block = 0; block < blocks; ++block) {
    Bf16* const begin = data + block * positions.most * kBlock;
    for (std::int64_t row = 0; row < rows && positions.pitch > positions.width; ++row)
      std::fill_n(begin + (row * positions.pitch + positions.width) * kBlock, kBlock, Bf16{0});
    std::fill(begin + positions.of(rows) * kBlock, begin + whole(positions.of(rows)) * kBlock, Bf16{0});
  }
}
/// The same by pairs, where only what goes up to a whole tile has never been written.
inline void clear_tail(const Positions& positions, std::int64_t rows, std::int64_t halves, Bf16* data) {
  for (std::int64_t half = 0; half < halves; ++half) {
    Bf16* const begin = data + half * positions.most * 16;
    std::fill(begin + positions.of(rows) * 16, begin + whole(positions.of(rows)) * 16, Bf16{0});
  }
}

/// Zeros around the rows of a ring by pairs. Where a row ends within a pair, that is cleared before anything is written.
inline void clear_pair_margins(const Ring& ring, std::int64_t columns, std::int64_t blocks, Bf16* data) {
  clear_margins(ring, columns / 2 * 2, 2 * blocks, 16, data);
}
/// Rows of the expanded x under rows `range` of y, to work.seen: at the pair in which the window begins for column 0.
inline void find_seen_rows(const Geometry& g, const Ring& ring, Range range, const Work& work) {
  const Bf16** seen = work.seen;
  for (std::int64_t y = range.begin; y < range.end; ++y) {
    for (int tap = 0; tap < g.op.window.kernel_h; ++tap)
      *seen++ = work.expanded + (ring.at(row_of_x(g, y, tap)) - g.op.window.pad.left) / 2 * 2 * 16;
  }
}
/// And rows of y's gradient that rows `range` of x meet, to work.met.
inline void find_met_rows(const Geometry& g, const Rings& rings, Range range, const Work& work) {
  bf16::MetRow* met = work.met;
  for (std::int64_t x = range.begin; x < range.end; ++x, ++met) {
    met->x = work.expanded + rings.expanded.at(x) * 16;
    block::find_met_rows(g, rings.gradient, x, work.gradient, 16, *met);
  }
}

/// Where positions go in a ring by pairs; those behind the last row are dropped.
inline void find_places(const Ring& ring, Range rows, std::int64_t pitch, std::int32_t* places) {
  for (std::int64_t row = rows.begin; row < rows.end; ++row) {
    const std::int64_t first = ring.at(row);
    for (std::int64_t j = 0; j < pitch; ++j) *places++ = static_cast<std::int32_t>((first + j) * 16);
  }
  const std::int64_t positions = rows.size() * pitch;
  std::fill_n(places, whole(positions) - positions, -1);
}

}  // namespace fovea::cpu::block::bf16_memory
