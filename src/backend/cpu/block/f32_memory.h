// Fovea: what blocks of floats keep in memory: packed weights, sums, a thread's workspace.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>

#include "backend/cpu/block/geometry.h"
#include "backend/cpu/block/workspace.h"
#include "backend/cpu/kernels/block_product.h"

namespace fovea::cpu::block::f32_memory {

/// (depth, columns) at any strides into panels (panel, depth, 16), zeros beyond the last column.
inline void pack_panels(const Context& context, const float* source, std::int64_t depth, std::int64_t columns,
                        std::int64_t depth_stride, std::int64_t column_stride, float* packed) {
  parallel_for(context, blocks_of(columns), [&](std::int64_t panel) {
    float* to = packed + panel * depth * kBlockChannels;
    const std::int64_t first = panel * kBlockChannels;
    const std::int64_t count = std::min(kBlockChannels, columns - first);
    for (std::int64_t k = 0; k < depth; ++k, to += kBlockChannels) {
      const float* from = source + k * depth_stride + first * column_stride;
      for (std::int64_t c = 0; c < count; ++c) to[c] = from[c * column_stride];
      std::fill(to + count, to + kBlockChannels, 0.0F);
    }
  });
}

/// And back, without the padding.
inline void unpack_panels(const Context& context, const float* packed, std::int64_t depth, std::int64_t columns,
                          std::int64_t depth_stride, std::int64_t column_stride, float* out) {
  parallel_for(context, blocks_of(columns), [&](std::int64_t panel) {
    const float* from = packed + panel * depth * kBlockChannels;
    const std::int64_t first = panel * kBlockChannels;
    const std::int64_t count = std::min(kBlockChannels, columns - first);
    for (std::int64_t k = 0; k < depth; ++k, from += kBlockChannels) {
      float* to = out + k * depth_stride + first * column_stride;
      for (std::int64_t c = 0; c < count; ++c) to[c * column_stride] = from[c];
    }
  });
}

/// Weights and biases as tensors have them; of a bias that is null, all are zero.
struct Plain {
  const float* we = nullptr;
  const float* be = nullptr;
  const float* wd = nullptr;
  const float* bd = nullptr;
  const float* wp = nullptr;
  const float* bp = nullptr;
};

/// The packed weights of either pass.
struct Weights {
  Weights(const Geometry& g, bool backward, std::byte* memory) {
    Pieces pieces(memory);
    const std::int64_t inner = blocks_of(g.inner) * kBlockChannels;
    if (g.op.expands) {
      expand = pieces.take<float>(inner * g.in);
      expand_bias = pieces.take<float>(inner);
    }
    depthwise = pieces.take<float>(inner * g.taps());
    depthwise_bias = pieces.take<float>(inner);
    if (backward) {
      project_back = pieces.take<float>(inner * g.out);
      if (g.op.expands) expand_back = pieces.take<float>(blocks_of(g.in) * kBlockChannels * g.inner);
    } else {
      project = pieces.take<float>(blocks_of(g.out) * kBlockChannels * g.inner);
      project_bias = pieces.take<float>(blocks_of(g.out) * kBlockChannels);
    }
    bytes = pieces.bytes();
  }

  /// `inputs` of the node of a block with biases.
  void pack(const Geometry& g, const Context& context, std::span<const TensorView> inputs) const {
    const std::size_t wd = depthwise_weight(g.op);
    Plain plain{.wd = inputs[wd].f32(), .bd = inputs[wd + 1].f32(), .wp = inputs[wd + 2].f32()};
    if (g.op.expands) {
      plain.we = inputs[1].f32();
      plain.be = inputs[2].f32();
    }
    if (project != nullptr) plain.bp = inputs[wd + 3].f32();
    pack(g, context, plain);
  }
  void pack(const Geometry& g, const Context& context, const Plain& from) const {
    const Context one{};
    const auto vector = [&](const float* plain, std::int64_t size, float* to) {
      if (plain == nullptr) return static_cast<void>(std::fill_n(to, blocks_of(size) * kBlockChannels, 0.0F));
      pack_panels(one, plain, 1, size, 0, 1, to);
    };
    if (g.op.expands) {
      pack_panels(context, from.we, g.in, g.inner, 1, g.in, expand);
      vector(from.be, g.inner, expand_bias);
    }
    pack_panels(context, from.wd, g.taps(), g.inner, 1, g.taps(), depthwise);
    vector(from.bd, g.inner, depthwise_bias);
    if (project_back != nullptr) {
      pack_panels(context, from.wp, g.out, g.inner, g.inner, 1, project_back);
      if (g.op.expands) pack_panels(context, from.we, g.inner, g.in, g.in, 1, expand_back);
    } else {
      pack_panels(context, from.wp, g.inner, g.out, 1, g.inner, project);
      vector(from.bp, g.out, project_bias);
    }
  }

  float* expand = nullptr;  ///< (panel of inner, in, 16)
  float* expand_bias = nullptr;
  float* depthwise = nullptr;  ///< (block, taps, 16)
  float* depthwise_bias = nullptr;
  float* project = nullptr;  ///< (panel of out, inner, 16)
  float* project_bias = nullptr;
  float* project_back = nullptr;  ///< (panel of inner, out, 16)
  float* expand_back = nullptr;   ///< (panel of in, inner, 16)
  std::size_t bytes = 0;
};

/// What a part adds up.
struct Sums {
  Sums(const Geometry& g, float* memory) {
    Pieces pieces(reinterpret_cast<std::byte*>(memory));
    const std::int64_t inner = blocks_of(g.inner) * kBlockChannels;
    expand = pieces.take<float>(g.op.expands ? inner * g.in : 0);
    expand_bias = pieces.take<float>(inner);
    depthwise = pieces.take<float>(inner * g.taps());
    depthwise_bias = pieces.take<float>(inner);
    project = pieces.take<float>(inner * g.out);
    project_bias = pieces.take<float>(g.out);
    floats = static_cast<std::int64_t>(pieces.bytes() / sizeof(float));
  }

  float* expand;       ///< (block, in, 16)
  float* expand_bias;  ///< (block, 16)
  float* depthwise;    ///< (block, taps, 16)
  float* depthwise_bias;
  float* project;       ///< (block, out, 16)
  float* project_bias;  ///< (out)
  std::int64_t floats;
};

/// Everything that one thread computes with.
struct Work {
  Work(const Geometry& g, const Rings& rings, std::int64_t rows, bool backward, std::byte* memory) {
    Pieces pieces(memory);
    const std::int64_t blocks = blocks_of(g.inner);
    y_positions = rows * g.out_width;
    made_positions = rings.made * g.width;
    done_positions = rings.done * g.width;
    expanded = pieces.take<float>(blocks * rings.expanded.positions() * kBlockChannels);
    filtered = pieces.take<float>(blocks * y_positions * kBlockChannels);
    places = pieces.take<std::int32_t>(std::max({y_positions, made_positions, done_positions}));
    in_order = pieces.take<std::int32_t>(std::max({y_positions, made_positions, done_positions}));
    if (g.op.expands) narrow = pieces.take<float>(blocks_of(g.in) * std::max(made_positions, done_positions) * kBlockChannels);
    if (backward) {
      gradient = pieces.take<float>(blocks * rings.gradient.positions() * kBlockChannels);
      expanded_gradient = pieces.take<float>(blocks * done_positions * kBlockChannels);
      y_gradient = pieces.take<float>(blocks_of(g.out) * y_positions * kBlockChannels);
    }
    bytes = pieces.bytes();
  }

  std::int64_t y_positions, made_positions, done_positions;  ///< of a band at most
  float* expanded = nullptr;                                 ///< ring: x after the first activation
  float* filtered = nullptr;                                 ///< (block, y_positions, 16) after the second
  float* narrow = nullptr;                                   ///< x in blocks
  float* gradient = nullptr;                                 ///< ring: of y before the second activation
  float* expanded_gradient = nullptr;                        ///< (block, done_positions, 16)
  float* y_gradient = nullptr;                               ///< dy in blocks
  std::int32_t* places = nullptr;
  std::int32_t* in_order = nullptr;  ///< 0, 16, 32, ...: places without a ring
  std::size_t bytes = 0;
};

/// Where the positions of rows go in a ring.
inline void find_places(const Ring& ring, Range rows, std::int64_t width, std::int32_t* places) {
  for (std::int64_t row = rows.begin; row < rows.end; ++row) {
    const std::int64_t first = ring.at(row);
    for (std::int64_t j = 0; j < width; ++j) *places++ = static_cast<std::int32_t>((first + j) * kBlockChannels);
  }
}

}  // namespace fovea::cpu::block::f32_memory
