// SPDX-License-Identifier: Apache-2.0
#include "backend/cpu/block/f32.h"

#include <algorithm>

#include "backend/cpu/block/passes.h"
#include "backend/cpu/block/workspace.h"
#include "backend/cpu/kernels/block_depthwise.h"
#include "backend/cpu/kernels/block_product.h"

namespace fovea::cpu::block {
namespace {

using graph::Activation;

/// (depth, columns) at any strides into panels (panel, depth, 16), zeros beyond the last column.
void pack_panels(const Context& context, const float* source, std::int64_t depth, std::int64_t columns, std::int64_t depth_stride,
                 std::int64_t column_stride, float* packed) {
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
void unpack_panels(const Context& context, const float* packed, std::int64_t depth, std::int64_t columns,
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

  /// `inputs` of the node.
  void pack(const Geometry& g, const Context& context, std::span<const TensorView> inputs) const {
    const std::size_t wd = g.op.expands ? 3 : 1;
    const Context one{};
    const auto vector = [&](const TensorView& from, float* to) { pack_panels(one, from.f32(), 1, from.shape[0], 0, 1, to); };
    if (g.op.expands) {
      pack_panels(context, inputs[1].f32(), g.in, g.inner, 1, g.in, expand);
      vector(inputs[2], expand_bias);
    }
    pack_panels(context, inputs[wd].f32(), g.taps(), g.inner, 1, g.taps(), depthwise);
    vector(inputs[wd + 1], depthwise_bias);
    const float* wp = inputs[wd + 2].f32();
    if (project_back != nullptr) {
      pack_panels(context, wp, g.out, g.inner, g.inner, 1, project_back);
      if (g.op.expands) pack_panels(context, inputs[1].f32(), g.inner, g.in, g.in, 1, expand_back);
    } else {
      pack_panels(context, wp, g.inner, g.out, 1, g.inner, project);
      vector(inputs[wd + 3], project_bias);
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
    if (g.op.expands) narrow = pieces.take<float>(blocks_of(g.in) * made_positions * kBlockChannels);
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
void find_places(const Ring& ring, Range rows, std::int64_t width, std::int32_t* places) {
  for (std::int64_t row = rows.begin; row < rows.end; ++row) {
    const std::int64_t first = ring.at(row);
    for (std::int64_t j = 0; j < width; ++j) *places++ = static_cast<std::int32_t>((first + j) * kBlockChannels);
  }
}

class Block : public Passes<Block, Weights, Sums, Work> {
 public:
  Block(const Setup& setup, const graph::InvertedResidual& op, bool backward)
      : Passes(setup, op, backward),
        kernels_(block_kernels(setup.target)),
        depthwise_(block_depthwise(setup.target, op.window)),
        depthwise_backward_(block_depthwise_backward(setup.target, op.window)) {}

 private:
  friend Passes;
  struct Nothing {};

  [[nodiscard]] static Nothing on_thread() { return {}; }

  [[nodiscard]] static std::int64_t bytes_of_row(const Geometry& g, bool backward) {
    const std::int64_t floats = g.op.window.stride * g.width + g.out_width;
    return (backward ? 2 : 1) * floats * g.inner * static_cast<std::int64_t>(sizeof(float));
  }

  void begin(const Work& work) const {
    const std::int64_t blocks = blocks_of(g_.inner);
    clear_margins(rings_.expanded, g_.width, blocks, kBlockChannels, work.expanded);
    if (backward_) clear_margins(rings_.gradient, g_.out_width, blocks, kBlockChannels, work.gradient);
    const std::int64_t positions = std::max({work.y_positions, work.made_positions, work.done_positions});
    for (std::int64_t p = 0; p < positions; ++p) work.in_order[p] = static_cast<std::int32_t>(p * kBlockChannels);
  }

  [[nodiscard]] std::int64_t expanded_block() const { return rings_.expanded.positions() * kBlockChannels; }
  [[nodiscard]] std::int64_t gradient_block() const { return rings_.gradient.positions() * kBlockChannels; }

  /// The band's rows after both activations.
  void filter(const Weights& weights, const Work& work, const Band& band, const float* x) const {
    const std::int64_t positions = band.made.size() * g_.width;
    const float* rows = x + band.made.begin * g_.width * g_.in;
    find_places(rings_.expanded, band.made, g_.width, work.places);
    const Scattered expanded{work.expanded, expanded_block(), work.places};
    if (g_.op.expands) {
      const std::int64_t block = work.made_positions * kBlockChannels;
      kernels_.to_blocks(rows, positions, g_.in, {work.narrow, block, work.in_order});
      kernels_.expand({work.narrow, block, positions, g_.in, weights.expand, blocks_of(g_.inner)}, weights.expand_bias,
                      g_.op.activation, expanded);
    } else {
      kernels_.to_blocks(rows, positions, g_.in, expanded);
    }
    BlockDepthwiseRow row{};
    row.x_block = expanded_block();
    row.kernel_h = g_.op.window.kernel_h;
    row.w = weights.depthwise;
    row.b = weights.depthwise_bias;
    row.activation = g_.op.activation;
    row.y_block = work.y_positions * kBlockChannels;
    row.out_width = g_.out_width;
    row.blocks = blocks_of(g_.inner);
    for (std::int64_t y = band.out.begin; y < band.out.end; ++y) {
      for (int tap = 0; tap < row.kernel_h; ++tap) {
        row.x[tap] = work.expanded + (rings_.expanded.at(row_of_x(g_, y, tap)) - rings_.expanded.left) * kBlockChannels;
      }
      row.y = work.filtered + (y - band.out.begin) * g_.out_width * kBlockChannels;
      depthwise_(row);
    }
  }

  void project(const Weights& weights, const Work& work, const Band& band, const Arguments& a) const {
    const std::int64_t at = band.out.begin * g_.out_width * g_.out;
    const BlockProduct product{
        work.filtered,    work.y_positions * kBlockChannels, band.out.size() * g_.out_width, g_.inner, weights.project,
        blocks_of(g_.out)};
    kernels_.narrow(product, g_.out, weights.project_bias, g_.op.residual ? a.inputs[0].f32() + at : nullptr, Activation::kNone,
                    nullptr, a.outputs[0].f32() + at);
  }

  void through_project(const Weights& weights, const Work& work, const Band& band, const float* dy, const Sums& sums) const {
    const std::int64_t positions = band.out.size() * g_.out_width;
    const std::int64_t blocks = blocks_of(g_.inner), y_block = work.y_positions * kBlockChannels;
    const float* rows = dy + band.out.begin * g_.out_width * g_.out;
    kernels_.to_blocks(rows, positions, g_.out, {work.y_gradient, y_block, work.in_order});
    find_places(rings_.gradient, band.out, g_.out_width, work.places);
    kernels_.gradient({work.y_gradient, y_block, positions, g_.out, weights.project_back, blocks}, g_.op.activation,
                      work.filtered, y_block, {work.gradient, gradient_block(), work.places}, sums.depthwise_bias);
    kernels_.outer(rows, g_.out, positions, work.filtered, y_block, blocks, sums.project);
    sum_rows_(rows, positions, g_.out, sums.project_bias, false);
  }

  void through_depthwise(const Weights& weights, const Work& work, const Band& band, const Sums& sums) const {
    BlockDepthwiseBackwardRow row{};
    row.x_block = expanded_block();
    row.g_block = gradient_block();
    row.kernel_h = g_.op.window.kernel_h;
    row.left = g_.op.window.pad.left;
    row.w = weights.depthwise;
    row.activation = g_.op.expands ? g_.op.activation : Activation::kNone;
    row.dx_block = work.done_positions * kBlockChannels;
    row.dw = sums.depthwise;
    row.db = sums.expand_bias;
    row.width = g_.width;
    row.blocks = blocks_of(g_.inner);
    for (std::int64_t x = band.done.begin; x < band.done.end; ++x) {
      row.x = work.expanded + rings_.expanded.at(x) * kBlockChannels;
      row.dx = work.expanded_gradient + (x - band.done.begin) * g_.width * kBlockChannels;
      row.count = 0;
      for (int tap = 0; tap < row.kernel_h; ++tap) {
        const std::int64_t y = row_of_y(g_, x, tap);
        if (y < 0) continue;
        row.g[row.count] = work.gradient + rings_.gradient.at(y) * kBlockChannels;
        row.tap[row.count++] = tap;
      }
      depthwise_backward_(row);
    }
  }

  void through_expand(const Weights& weights, const Work& work, const Band& band, const Arguments& a, Activation input_activation,
                      const Sums& sums) const {
    const std::int64_t positions = band.done.size() * g_.width, block = work.done_positions * kBlockChannels;
    const std::int64_t at = band.done.begin * g_.width * g_.in;
    const float* x = a.inputs[0].f32() + at;
    const float* plus = g_.op.residual ? a.inputs.back().f32() + at : nullptr;
    float* dx = a.outputs[0].f32() + at;
    if (!g_.op.expands) {
      kernels_.from_blocks(work.expanded_gradient, block, positions, g_.in, plus, input_activation, x, dx);
      return;
    }
    kernels_.outer(x, g_.in, positions, work.expanded_gradient, block, blocks_of(g_.inner), sums.expand);
    kernels_.narrow({work.expanded_gradient, block, positions, g_.inner, weights.expand_back, blocks_of(g_.in)}, g_.in, nullptr,
                    plus, input_activation, x, dx);
  }

  void unpack(const Sums& total, std::span<const TensorView> outputs) const {
    const std::size_t wd = g_.op.expands ? 3 : 1;
    if (g_.op.expands) {
      unpack_panels(context_, total.expand, g_.in, g_.inner, 1, g_.in, outputs[1].f32());
      std::copy_n(total.expand_bias, g_.inner, outputs[2].f32());
    }
    unpack_panels(context_, total.depthwise, g_.taps(), g_.inner, 1, g_.taps(), outputs[wd].f32());
    std::copy_n(total.depthwise_bias, g_.inner, outputs[wd + 1].f32());
    unpack_panels(context_, total.project, g_.out, g_.inner, g_.inner, 1, outputs[wd + 2].f32());
    std::copy_n(total.project_bias, g_.out, outputs[wd + 3].f32());
  }

  BlockKernels kernels_;
  BlockDepthwise* depthwise_;
  BlockDepthwiseBackward* depthwise_backward_;
};

}  // namespace

KernelResult prepare_f32(const Setup& setup, const graph::InvertedResidual& op) {
  return make_forward<Block>(setup.kernel_name("inverted_residual"), setup, op);
}

KernelResult prepare_f32(const Setup& setup, const graph::InvertedResidualBackward& op) {
  return make_backward<Block>(setup.kernel_name("inverted_residual_backward"), setup, op);
}

}  // namespace fovea::cpu::block
