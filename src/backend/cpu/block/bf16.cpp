// SPDX-License-Identifier: Apache-2.0
#include "backend/cpu/block/bf16.h"

#include <algorithm>
#include <memory>
#include <vector>

#include "backend/cpu/amx/depthwise.h"
#include "backend/cpu/amx/intrinsics.h"
#include "backend/cpu/amx/products.h"
#include "backend/cpu/amx/tiles.h"
#include "backend/cpu/block/workspace.h"
#include "backend/cpu/function_kernel.h"
#include "backend/cpu/kernels/column_sums.h"
#include "backend/cpu/kernels/elementwise.h"
#include "core/error.h"

#if FOVEA_HAS_AMX

namespace fovea::cpu::block {
namespace {

using amx::Bf16;
using amx::blocks_of;
using amx::channel_at;
using amx::kBlock;
using amx::kTile;
using amx::Order;
using graph::Activation;

constexpr std::int64_t even(std::int64_t columns) { return (columns + 1) / 2 * 2; }
/// Positions up to whole tiles.
constexpr std::int64_t whole(std::int64_t positions) { return (positions + 31) / 32 * 32; }
constexpr std::int64_t tiles_of(std::int64_t channels) { return (channels + 15) / 16; }

/// (rows, channels) at any strides as (block, row, 32), even channels first if so ordered, zeros beyond the last channel.
void pack_rows(const float* source, std::int64_t rows, std::int64_t channels, std::int64_t row_stride,
               std::int64_t channel_stride, Order order, float* packed) {
  for (std::int64_t block = 0; block < blocks_of(channels); ++block) {
    for (std::int64_t row = 0; row < rows; ++row) {
      for (std::int64_t i = 0; i < kBlock; ++i) {
        const std::int64_t channel = block * kBlock + channel_at(order, i);
        *packed++ = channel < channels ? source[row * row_stride + channel * channel_stride] : 0.0F;
      }
    }
  }
}

/// And back from sums (block, all_rows, 32), even channels first, of which the first `rows` rows are wanted.
void unpack_rows(const Context& context, const float* packed, std::int64_t rows, std::int64_t all_rows, std::int64_t channels,
                 std::int64_t row_stride, std::int64_t channel_stride, float* out) {
  parallel_for(context, blocks_of(channels), [&](std::int64_t block) {
    for (std::int64_t i = 0; i < kBlock; ++i) {
      const std::int64_t channel = block * kBlock + channel_at(Order::kEvenOdd, i);
      if (channel >= channels) continue;
      const float* from = packed + block * all_rows * kBlock + i;
      float* to = out + channel * channel_stride;
      for (std::int64_t row = 0; row < rows; ++row) to[row * row_stride] = from[row * kBlock];
    }
  });
}

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
    depthwise = pieces.take<float>(blocks * kBlock * g.taps());
    depthwise_bias = pieces.take<float>(blocks * kBlock);
    if (backward) {
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
        amx::pack_operand(w, depth, columns, depth_stride, column_stride, depth_order, column_order, block, packed);
      });
    };
    if (g.op.expands) {
      operand(inputs[1].f32(), g.in, g.inner, 1, g.in, Order::kNatural, Order::kEvenOdd, expand);
      pack_rows(inputs[2].f32(), 1, g.inner, 0, 1, Order::kEvenOdd, expand_bias);
    }
    pack_rows(inputs[wd].f32(), g.taps(), g.inner, 1, g.taps(), Order::kEvenOdd, depthwise);
    pack_rows(inputs[wd + 1].f32(), 1, g.inner, 0, 1, Order::kEvenOdd, depthwise_bias);
    const float* wp = inputs[wd + 2].f32();
    if (project_back != nullptr) {
      operand(wp, g.out, g.inner, g.inner, 1, Order::kNatural, Order::kEvenOdd, project_back);
      if (g.op.expands) operand(inputs[1].f32(), g.inner, g.in, g.in, 1, Order::kEvenOdd, Order::kNatural, expand_back);
    } else {
      operand(wp, g.inner, g.out, 1, g.inner, Order::kNatural, Order::kNatural, project);
      pack_rows(inputs[wd + 3].f32(), 1, g.out, 0, 1, Order::kNatural, project_bias);
    }
  }

  Bf16* expand = nullptr;
  float* expand_bias = nullptr;
  float* depthwise = nullptr;
  float* depthwise_bias = nullptr;
  Bf16* project = nullptr;
  float* project_bias = nullptr;
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

/// Positions of a band's rows, each row with an even number of them.
struct Positions {
  Positions(std::int64_t most_rows, std::int64_t row_width)
      : width(row_width), pitch(even(row_width)), most(whole(most_rows * pitch)) {}
  [[nodiscard]] std::int64_t of(std::int64_t rows) const { return rows * pitch; }

  std::int64_t width;
  std::int64_t pitch;
  std::int64_t most;  ///< whole tiles of them
};

struct Work {
  Work(const Geometry& g, const Rings& rings, std::int64_t rows, bool backward, std::byte* memory)
      : y(rows, g.out_width), made(rings.made, g.width), done(rings.done, g.width) {
    Pieces pieces(memory);
    const std::int64_t blocks = blocks_of(g.inner);
    const std::int64_t most = std::max({y.most, made.most, done.most});
    expanded = pieces.take<Bf16>(blocks * rings.expanded.positions() * kBlock);
    filtered = pieces.take<Bf16>(blocks * y.most * kBlock);
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
  Bf16* expanded = nullptr;           ///< ring: x after the first activation
  Bf16* filtered = nullptr;           ///< after the second: in blocks, or in the backward pass by pairs
  Bf16* x = nullptr;                  ///< in blocks
  Bf16* gradient = nullptr;           ///< ring: of y before the second activation
  Bf16* dy = nullptr;                 ///< in blocks
  Bf16* turned = nullptr;             ///< dy, then x
  Bf16* expanded_gradient = nullptr;  ///< in blocks, even channels first
  Bf16* expanded_pairs = nullptr;     ///< the same by pairs
  float* exact = nullptr;             ///< the same, of a block that does not expand
  std::int32_t* places = nullptr;     ///< in a ring
  std::int32_t* y_packed = nullptr;   ///< of rows of y, and of x, among positions in blocks
  std::int32_t* x_packed = nullptr;
  std::int32_t* y_plain = nullptr;  ///< and of positions among rows
  std::int32_t* x_plain = nullptr;
  std::size_t bytes = 0;
};

/// The same for every band: where row positions lie when every row is `pitch` long, and back.
void number_positions(const Positions& positions, std::int64_t most, std::int32_t* packed, std::int32_t* plain) {
  for (std::int64_t p = 0; p < most; ++p) {
    const auto [row, column] = std::pair(p / positions.pitch, p % positions.pitch);
    plain[p] = column < positions.width ? static_cast<std::int32_t>(row * positions.width + column) : -1;
    packed[p] = static_cast<std::int32_t>((p / positions.width * positions.pitch + p % positions.width) * kBlock);
  }
}

void clear_margins(const Ring& ring, std::int64_t columns, std::int64_t blocks, Bf16* data) {
  const std::int64_t row_size = ring.width * kBlock;
  for (std::int64_t row = 0; row < blocks * (ring.rows + 1); ++row) {
    Bf16* const begin = data + row * row_size;
    if (row % (ring.rows + 1) == ring.rows) {
      std::fill_n(begin, row_size, Bf16{0});
    } else {
      std::fill_n(begin, ring.left * kBlock, Bf16{0});
      std::fill(begin + (ring.left + columns) * kBlock, begin + row_size, Bf16{0});
    }
  }
}

/// Zeros where no row of the tensor has a position: between rows, and up to a whole tile.
void clear_gaps(const Positions& positions, std::int64_t rows, std::int64_t blocks, Bf16* data) {
  for (std::int64_t block = 0; block < blocks; ++block) {
    Bf16* const begin = data + block * positions.most * kBlock;
    for (std::int64_t row = 0; row < rows && positions.pitch > positions.width; ++row)
      std::fill_n(begin + (row * positions.pitch + positions.width) * kBlock, kBlock, Bf16{0});
    std::fill(begin + positions.of(rows) * kBlock, begin + whole(positions.of(rows)) * kBlock, Bf16{0});
  }
}
/// The same by pairs, where only what goes up to a whole tile has never been written.
void clear_tail(const Positions& positions, std::int64_t rows, std::int64_t halves, Bf16* data) {
  for (std::int64_t half = 0; half < halves; ++half) {
    Bf16* const begin = data + half * positions.most * 16;
    std::fill(begin + positions.of(rows) * 16, begin + whole(positions.of(rows)) * 16, Bf16{0});
  }
}

/// Where positions go in a ring; those between rows and behind them are dropped.
void find_places(const Ring& ring, Range rows, std::int64_t width, std::int64_t pitch, std::int32_t* places) {
  for (std::int64_t row = rows.begin; row < rows.end; ++row) {
    const std::int64_t first = ring.at(row);
    for (std::int64_t j = 0; j < pitch; ++j) *places++ = j < width ? static_cast<std::int32_t>((first + j) * kBlock) : -1;
  }
  const std::int64_t positions = rows.size() * pitch;
  std::fill_n(places, whole(positions) - positions, -1);
}

/// Both passes.
class Block {
 public:
  Block(const Setup& setup, const graph::InvertedResidual& op, bool backward)
      : context_(setup.context),
        g_(setup, op),
        backward_(backward),
        blocks_(blocks_of(g_.inner)),
        parts_(backward ? g_.parts_with_sums() : g_.parts_for(setup.context.threads)),
        rows_(band_rows(parts_, bytes_of_row())),
        rings_(g_, parts_, rows_),
        sum_rows_(sum_rows(setup.target)),
        sum_parts_(elementwise(setup.target).sum_parts),
        work_bytes_(Work(g_, rings_, rows_, backward, nullptr).bytes),
        sums_(backward ? Sums(g_, nullptr).floats : 0) {}

  [[nodiscard]] std::size_t packed_bytes() const { return Weights(g_, backward_, nullptr).bytes; }
  [[nodiscard]] std::size_t scratch_bytes() const {
    return static_cast<std::size_t>(threads()) * work_bytes_ + static_cast<std::size_t>(count() * sums_) * sizeof(float);
  }
  void pack(const Arguments& a) const { Weights(g_, backward_, a.packed).pack(g_, context_, a.inputs); }

  void forward(const Arguments& a) const {
    const Weights weights(g_, false, a.packed);
    for_parts(a, [&](const Work& work, std::int64_t /*part*/, Range range) {
      for_bands(g_, range, rows_, [&](const Band& band) {
        filter(weights, work, band, a.inputs[0].f32());
        project(weights, work, band, a);
      });
    });
  }

  void backward(const Arguments& a, Activation input_activation) const {
    const Weights weights(g_, true, a.packed);
    float* const sums = reinterpret_cast<float*>(a.scratch + static_cast<std::size_t>(threads()) * work_bytes_);
    for_parts(a, [&](const Work& work, std::int64_t part, Range range) {
      const Sums mine(g_, sums + part * sums_);
      std::fill_n(sums + part * sums_, sums_, 0.0F);
      for_bands(g_, range, rows_, [&](const Band& band) {
        filter(weights, work, band, a.inputs[0].f32());
        through_project(weights, work, band, a.inputs.back().f32(), mine);
        through_depthwise(weights, work, band, mine);
        through_expand(weights, work, band, a, input_activation, mine);
      });
    });
    // The first part takes the total.
    parallel_ranges(context_, sums_, 4096,
                    [&](Range r) { sum_parts_(sums + r.begin, count(), sums_, sums + r.begin, r.size()); });
    unpack(Sums(g_, sums), a.outputs);
  }

 private:
  [[nodiscard]] std::int64_t count() const { return static_cast<std::int64_t>(parts_.size()); }
  [[nodiscard]] std::int64_t threads() const { return std::min<std::int64_t>(context_.threads, count()); }
  /// Of the wide activations that belong to a row of y.
  [[nodiscard]] std::int64_t bytes_of_row() const {
    const std::int64_t x = g_.op.window.stride * g_.width;
    return (backward_ ? 3 * x + 2 * g_.out_width : x + g_.out_width) * g_.inner * static_cast<std::int64_t>(sizeof(Bf16));
  }

  /// body(work, part, rows of y) for each part; a thread's parts share its memory.
  template <class Body>
  void for_parts(const Arguments& a, const Body& body) const {
    parallel_for(context_, threads(), [&](std::int64_t thread) {
      const amx::Tiles tiles;
      const Work work(g_, rings_, rows_, backward_, a.scratch + static_cast<std::size_t>(thread) * work_bytes_);
      clear_margins(rings_.expanded, g_.width, blocks_, work.expanded);
      if (backward_) clear_margins(rings_.gradient, g_.out_width, blocks_, work.gradient);
      const std::int64_t most = std::max({work.y.most, work.made.most, work.done.most});
      number_positions(work.y, most, work.y_packed, work.y_plain);
      number_positions(work.made, most, work.x_packed, work.x_plain);
      const Range mine = part_of(count(), threads(), thread);
      for (std::int64_t part = mine.begin; part < mine.end; ++part) body(work, part, parts_[static_cast<std::size_t>(part)]);
    });
  }

  [[nodiscard]] std::int64_t expanded_block() const { return rings_.expanded.positions() * kBlock; }
  [[nodiscard]] std::int64_t gradient_block() const { return rings_.gradient.positions() * kBlock; }

  /// The band's rows after both activations: in blocks, or in the backward pass by pairs.
  void filter(const Weights& weights, const Work& work, const Band& band, const float* x) const {
    const std::int64_t rows = band.made.size();
    const float* from = x + band.made.begin * g_.width * g_.in;
    const amx::Scattered expanded{work.expanded, expanded_block(), work.places};
    if (g_.op.expands) {
      const std::int64_t block = work.made.most * kBlock;
      find_places(rings_.expanded, band.made, g_.width, work.made.pitch, work.places);
      amx::to_blocks(from, rows * g_.width, g_.in, {work.x, block, work.x_packed});
      amx::expand({work.x, block, work.made.of(rows), blocks_of(g_.in), weights.expand, blocks_}, weights.expand_bias,
                  g_.op.activation, expanded);
    } else {
      find_places(rings_.expanded, band.made, g_.width, g_.width, work.places);
      amx::to_blocks(from, rows * g_.width, g_.in, expanded);
    }
    amx::DepthwiseRow row{};
    row.x_block = expanded_block();
    row.kernel_h = g_.op.window.kernel_h;
    row.w = weights.depthwise;
    row.b = weights.depthwise_bias;
    row.activation = g_.op.activation;
    row.y_step = work.y.most * (backward_ ? 16 : kBlock);
    row.out_width = work.y.pitch;
    row.blocks = blocks_;
    for (std::int64_t y = band.out.begin; y < band.out.end; ++y) {
      for (int tap = 0; tap < row.kernel_h; ++tap)
        row.x[tap] = work.expanded + (rings_.expanded.at(row_of_x(g_, y, tap)) - rings_.expanded.left) * kBlock;
      row.y = work.filtered + work.y.of(y - band.out.begin) * (backward_ ? 16 : kBlock);
      amx::depthwise(g_.op.window, row, backward_);
    }
  }

  void project(const Weights& weights, const Work& work, const Band& band, const Arguments& a) const {
    const std::int64_t at = band.out.begin * g_.out_width * g_.out;
    const float* plus = g_.op.residual ? a.inputs[0].f32() + at : nullptr;
    amx::narrow({work.filtered, work.y.most * kBlock, work.y.of(band.out.size()), blocks_, weights.project, blocks_of(g_.out)},
                weights.project_bias, {a.outputs[0].f32() + at, g_.out, work.y_plain, plus, Activation::kNone, nullptr});
  }

  void through_project(const Weights& weights, const Work& work, const Band& band, const float* dy, const Sums& sums) const {
    const std::int64_t rows = band.out.size(), positions = work.y.of(rows), block = work.y.most * kBlock;
    const float* from = dy + band.out.begin * g_.out_width * g_.out;
    amx::to_blocks(from, rows * g_.out_width, g_.out, {work.dy, block, work.y_packed});
    clear_gaps(work.y, rows, blocks_of(g_.out), work.dy);
    clear_tail(work.y, rows, 2 * blocks_, work.filtered);
    find_places(rings_.gradient, band.out, g_.out_width, work.y.pitch, work.places);
    amx::gradient({work.dy, block, positions, blocks_of(g_.out), weights.project_back, blocks_}, g_.op.activation, work.filtered,
                  work.y.most * 16, {work.gradient, gradient_block(), work.places}, sums.depthwise_bias);
    amx::turn(work.dy, block, whole(positions), tiles_of(g_.out), work.turned);
    amx::outer(work.turned, tiles_of(g_.out), whole(positions) / 32, work.filtered, work.y.most * 16, blocks_, sums.project);
    sum_rows_(from, rows * g_.out_width, g_.out, sums.project_bias, false);
  }

  void through_depthwise(const Weights& weights, const Work& work, const Band& band, const Sums& sums) const {
    amx::DepthwiseBackwardRow row{};
    row.x_block = expanded_block();
    row.g_block = gradient_block();
    row.kernel_h = g_.op.window.kernel_h;
    row.left = g_.op.window.pad.left;
    row.w = weights.depthwise;
    row.activation = g_.op.expands ? g_.op.activation : Activation::kNone;
    row.dx_block = work.done.most * kBlock;
    row.pairs_half = row.exact_half = work.done.most * 16;
    row.dw = sums.depthwise;
    row.db = sums.expand_bias;
    row.width = g_.width;
    row.even_width = work.done.pitch;
    row.blocks = blocks_;
    for (std::int64_t x = band.done.begin; x < band.done.end; ++x) {
      const std::int64_t position = work.done.of(x - band.done.begin);
      row.x = work.expanded + rings_.expanded.at(x) * kBlock;
      if (g_.op.expands) {
        row.dx = work.expanded_gradient + position * kBlock;
        row.pairs = work.expanded_pairs + position * 16;
      } else {
        row.exact = work.exact + position * 16;
      }
      row.count = 0;
      for (int tap = 0; tap < row.kernel_h; ++tap) {
        const std::int64_t y = row_of_y(g_, x, tap);
        if (y < 0) continue;
        row.g[row.count] = work.gradient + rings_.gradient.at(y) * kBlock;
        row.tap[row.count++] = tap;
      }
      amx::depthwise_backward(g_.op.window, row);
    }
  }

  void through_expand(const Weights& weights, const Work& work, const Band& band, const Arguments& a, Activation input_activation,
                      const Sums& sums) const {
    const std::int64_t rows = band.done.size(), positions = work.done.of(rows), block = work.done.most * kBlock;
    const std::int64_t at = band.done.begin * g_.width * g_.in;
    const float* x = a.inputs[0].f32() + at;
    const float* plus = g_.op.residual ? a.inputs.back().f32() + at : nullptr;
    const float* seen = input_activation == Activation::kNone ? nullptr : x;
    const amx::Plain dx{a.outputs[0].f32() + at, g_.in, work.x_plain, plus, input_activation, seen};
    if (!g_.op.expands) {
      amx::from_halves(work.exact, work.done.most * 16, positions, dx);
      return;
    }
    amx::to_blocks(x, rows * g_.width, g_.in, {work.x, block, work.x_packed});
    clear_gaps(work.done, rows, blocks_of(g_.in), work.x);
    clear_tail(work.done, rows, 2 * blocks_, work.expanded_pairs);
    amx::turn(work.x, block, whole(positions), tiles_of(g_.in), work.turned);
    amx::outer(work.turned, tiles_of(g_.in), whole(positions) / 32, work.expanded_pairs, work.done.most * 16, blocks_,
               sums.expand);
    amx::narrow({work.expanded_gradient, block, positions, blocks_, weights.expand_back, blocks_of(g_.in)}, nullptr, dx);
  }

  void unpack(const Sums& total, std::span<const TensorView> outputs) const {
    const std::size_t wd = g_.op.expands ? 3 : 1;
    const Context& c = context_;
    const std::int64_t taps = g_.taps();
    if (g_.op.expands) {
      unpack_rows(c, total.expand, g_.in, tiles_of(g_.in) * 16, g_.inner, 1, g_.in, outputs[1].f32());
      unpack_rows(c, total.expand_bias, 1, 1, g_.inner, 0, 1, outputs[2].f32());
    }
    unpack_rows(c, total.depthwise, taps, taps, g_.inner, 1, taps, outputs[wd].f32());
    unpack_rows(c, total.depthwise_bias, 1, 1, g_.inner, 0, 1, outputs[wd + 1].f32());
    unpack_rows(c, total.project, g_.out, tiles_of(g_.out) * 16, g_.inner, g_.inner, 1, outputs[wd + 2].f32());
    std::copy_n(total.project_bias, g_.out, outputs[wd + 3].f32());
  }

  Context context_;
  Geometry g_;
  bool backward_;
  std::int64_t blocks_;  ///< of the inner channels
  std::vector<Range> parts_;
  std::int64_t rows_;  ///< of y in a band
  Rings rings_;
  SumRowsKernel* sum_rows_;
  SumPartsKernel* sum_parts_;
  std::size_t work_bytes_;  ///< of a thread
  std::int64_t sums_;       ///< floats of a part
};

}  // namespace

bool has_bf16(Target target) { return target.name().starts_with("avx3") && amx::available(); }

KernelResult prepare_bf16(const Setup& setup, const graph::InvertedResidual& op) {
  const auto block = std::make_shared<const Block>(setup, op, false);
  return make_kernel(
      {"amx/inverted_residual", block->packed_bytes(), block->scratch_bytes(), std::nullopt},
      [block](const Arguments& a) { block->forward(a); }, [block](const Arguments& a) { block->pack(a); });
}

KernelResult prepare_bf16(const Setup& setup, const graph::InvertedResidualBackward& op) {
  const auto block = std::make_shared<const Block>(setup, op.forward, true);
  return make_kernel(
      {"amx/inverted_residual_backward", block->packed_bytes(), block->scratch_bytes(), std::nullopt},
      [block, activation = op.input_activation](const Arguments& a) { block->backward(a, activation); },
      [block](const Arguments& a) { block->pack(a); });
}

}  // namespace fovea::cpu::block

#else

namespace fovea::cpu::block {

bool has_bf16(Target /*target*/) { return false; }
KernelResult prepare_bf16(const Setup& /*setup*/, const graph::InvertedResidual& /*op*/) {
  return fail(Error::Kind::kUnsupported, "cpu backend: this processor does not multiply bf16");
}
KernelResult prepare_bf16(const Setup& /*setup*/, const graph::InvertedResidualBackward& /*op*/) {
  return fail(Error::Kind::kUnsupported, "cpu backend: this processor does not multiply bf16");
}

}  // namespace fovea::cpu::block

#endif
