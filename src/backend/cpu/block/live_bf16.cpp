// SPDX-License-Identifier: Apache-2.0
#include <optional>

#include "backend/cpu/block/bf16_memory.h"
#include "backend/cpu/block/live.h"
#include "backend/cpu/block/live_backward.h"
#include "backend/cpu/block/live_forward.h"
#include "backend/cpu/block/passes.h"
#include "backend/cpu/kernels/bf16/depthwise.h"
#include "backend/cpu/kernels/bf16/intrinsics.h"
#include "backend/cpu/kernels/bf16/live_norm.h"
#include "backend/cpu/kernels/bf16/live_products.h"
#include "backend/cpu/kernels/bf16/unit.h"
#include "backend/numbers_of.h"
#include "core/dtype.h"
#include "core/error.h"

#if FOVEA_HAS_BF16

namespace fovea::cpu::block {
namespace {

using namespace bf16_memory;
using graph::Activation;

/// What both passes have in common.
struct Kernels {
  explicit Kernels(const Setup& setup)
      : unit(setup.target.bf16()), products(bf16::product_kernels(unit)), live(bf16::live_product_kernels(unit)) {}

  /// Columns in their order, but for what the depthwise convolution reads; there are no biases.
  static void pack(const LiveFrame& f, const Weights& weights, const Arguments& a) {
    const Geometry& g = f.g;
    const std::size_t wd = depthwise_weight(f.op);
    const auto operand = [&](const float* w, std::int64_t depth, std::int64_t columns, std::int64_t depth_stride,
                             std::int64_t column_stride, Bf16* packed) {
      if (packed == nullptr) return;
      parallel_for(f.context, blocks_of(columns), [&](std::int64_t block) {
        bf16::pack_operand(w, depth, columns, depth_stride, column_stride, Order::kNatural, Order::kNatural, block, packed);
      });
    };
    const float* we = a.inputs[1].f32();
    const float* wp = a.inputs[wd + 3].f32();
    operand(we, g.in, g.inner, 1, g.in, weights.expand);
    operand(we, g.inner, g.in, g.in, 1, weights.expand_back);
    operand(wp, g.inner, g.out, 1, g.inner, weights.project);
    operand(wp, g.out, g.inner, g.inner, 1, weights.project_back);
    weights.pack_depthwise(g, f.context, a.inputs[wd].f32());
    std::fill_n(weights.depthwise_bias, blocks_of(g.inner) * kBlock, 0.0F);
  }

  /// Zeros around the rows of the rings.
  static void begin(const LiveFrame& f, const Work& work, bool backward) {
    const std::int64_t blocks = blocks_of(f.g.inner);
    clear_pair_margins(f.rings.expanded, f.g.width, blocks, work.expanded);
    if (backward) clear_pair_margins(f.rings.gradient, f.g.out_width, blocks, work.gradient);
    number_positions(work.done, std::max(work.made.most, work.done.most), work.x_packed, work.x_plain);
  }

  /// The band's rows of x after the first activation, into their ring.
  void expand(const LiveFrame& f, const Weights& weights, const LiveExpansion& expansion, const Work& work, const Band& band,
              const Arguments& a) const {
    const Geometry& g = f.g;
    const std::int64_t rows = band.made.size(), positions = rows * g.width, block = work.made.most * kBlock;
    const float* x = a.inputs[0].f32() + band.made.begin * g.width * g.in;
    const bf16::ScatteredPairs expanded{work.expanded, f.rings.expanded.positions() * 16, work.places};
    find_places(f.rings.expanded, band.made, g.width, work.places);
    if (!g.op.expands) return bf16::to_pairs(x, rows, g.width, g.in, expanded);
    bf16::to_blocks(x, positions, g.in, {work.x, block, nullptr});
    live.expand({work.x, block, positions, g.in, weights.expand, g.inner}, expansion.norm.scale, expansion.bias, g.op.activation,
                expanded);
  }

  bf16::Unit unit;
  bf16::ProductKernels products;
  bf16::LiveProductKernels live;
};

class Forward : public LiveForward<Forward, Weights, Work> {
 public:
  Forward(const Setup& setup, const graph::InvertedResidualTrain& op)
      : LiveForward(setup, op), k_(setup), large_(Setup::is_large(setup.output(0))) {}

 private:
  friend LiveForward;

  [[nodiscard]] static std::int64_t bytes_of_row(const Geometry& g) {
    return (g.op.window.stride * g.width + g.out_width) * g.inner * static_cast<std::int64_t>(sizeof(Bf16));
  }
  [[nodiscard]] bf16::OnThread on_thread() const { return bf16::OnThread(k_.unit); }
  void begin(const Work& work) const {
    Kernels::begin(f_, work, false);
    number_positions(work.y, work.y.most, work.y_packed, work.y_plain);
  }
  void pack(const Weights& weights, const Arguments& a, const LiveExpansion& /*expansion*/) const {
    Kernels::pack(f_, weights, a);
  }

  void filter(const Weights& weights, const LiveExpansion& expansion, const Work& work, const Band& band,
              const Arguments& a) const {
    k_.expand(f_, weights, expansion, work, band, a);
    find_seen_rows(f_.g, f_.rings.expanded, band.out, work);
    bf16::depthwise(f_.op.window,
                    {.rows = band.out.size(),
                     .x = work.seen,
                     .x_half = f_.rings.expanded.positions() * 16,
                     .kernel_h = f_.op.window.kernel_h,
                     .w = weights.depthwise,
                     .b = weights.depthwise_bias,
                     .activation = Activation::kNone,
                     .y = work.filtered,
                     .y_row = work.y.pitch * kBlock,
                     .y_step = work.y.most * kBlock,
                     .out_width = even(f_.g.out_width),
                     .blocks = blocks_of(f_.g.inner)},
                    false);
  }

  void find_pivot(const Work& work, float* pivot) const {
    for (std::int64_t c = 0; c < padded(f_.g.inner); ++c)
      pivot[c] = bf16_to_f32(work.filtered[c / kBlock * work.y.most * kBlock + c % kBlock]);
  }

  void keep(const Work& work, const Band& band, const float* pivot, const ChannelSums& moments, const Arguments& a) const {
    bf16::moments_from_blocks(work.filtered, work.y.most * kBlock, band.out.size() * f_.g.out_width, f_.g.inner, pivot,
                              numbers_of<Bf16>(a.outputs[1]) + band.out.begin * f_.g.out_width * f_.g.inner, moments.band_sum,
                              moments.band_product);
  }

  void project(const Weights& weights, const LiveNorm& norm, const Work& work, std::int64_t first, std::int64_t count,
               const Arguments& a) const {
    const std::int64_t block = work.y.most * kBlock;
    bf16::normalise_to_blocks(f_.op.activation, norm.by(), numbers_of<Bf16>(a.outputs[1]) + first * f_.g.inner, count, f_.g.inner,
                              work.filtered, block);
    k_.products.narrow({work.filtered, block, count, f_.g.inner, weights.project, f_.g.out}, nullptr,
                       {a.outputs[0].f32() + first * f_.g.out, f_.g.out, work.y_plain, nullptr, Activation::kNone, nullptr,
                        large_ && bf16::can_stream(a.outputs[0].f32(), f_.g.out)});
  }

  Kernels k_;
  bool large_;
};

/// The gradient before the first activation goes through memory: its sums are what the first normalisation waits for.
struct Kind {
  using Weights = bf16_memory::Weights;
  using Work = bf16_memory::Work;
  using Sums = bf16_memory::Sums;
  struct More {
    More(const LiveFrame& f, Pieces& pieces) : pitch(even(f.g.width)), numbers_of_row(pitch * blocks_of(f.g.inner) * kBlock) {
      if (!f.op.expands) return;
      gradient = pieces.take<Bf16>(f.g.images * f.g.height * numbers_of_row);
      taken.emplace(f.g.inner, pieces);
    }
    std::int64_t pitch;                 ///< positions of a row
    std::int64_t numbers_of_row;        ///< in all blocks
    Bf16* gradient = nullptr;           ///< part after part, each (block, row, position, 32), even channels first
    std::optional<NormGradient> taken;  ///< by the first normalisation
  };
};

class Backward : public LiveBackward<Backward, Kind> {
 public:
  Backward(const Setup& setup, const graph::InvertedResidualTrain& op)
      : LiveBackward(setup, op), k_(setup), large_(Setup::is_large(setup.input(0))) {}

 private:
  friend LiveBackward;

  [[nodiscard]] static std::int64_t bytes_of_row(const Geometry& g) {
    return 2 * (g.op.window.stride * g.width + g.out_width) * g.inner * static_cast<std::int64_t>(sizeof(Bf16));
  }
  [[nodiscard]] bf16::OnThread on_thread() const { return bf16::OnThread(k_.unit); }
  void begin(const Work& work) const { Kernels::begin(f_, work, true); }
  void pack(const Weights& weights, const Arguments& a, const LiveExpansion& /*expansion*/) const {
    Kernels::pack(f_, weights, a);
  }

  [[nodiscard]] bf16::NormedRows rows_of_v(const Part& part, std::int64_t first, const Arguments& a) const {
    return {numbers_of<Bf16>(a.inputs[wd_ + 4]) + first * f_.g.inner, f_.g.inner, part.norm.by(), f_.op.activation};
  }
  /// dy of these positions in blocks, as an operand.
  [[nodiscard]] bf16::Product from_dy(const Part& part, std::int64_t first, std::int64_t count, const Arguments& a) const {
    const std::int64_t block = part.work.y.most * kBlock;
    bf16::to_blocks(a.inputs[md_ + 2].f32() + first * f_.g.out, count, f_.g.out, {part.work.dy, block, nullptr});
    return {part.work.dy, block, count, f_.g.out, part.weights.project_back, f_.g.inner};
  }

  void through_project(const Part& part, std::int64_t first, std::int64_t count, const Arguments& a) const {
    const Work& work = part.work;
    const bf16::Product product = from_dy(part, first, count, a);
    const bf16::NormedRows v = rows_of_v(part, first, a);
    bf16::normalise_to_pairs(v.activation, v.by, v.x, count, f_.g.inner, work.filtered, work.y.most * 16);
    k_.live.gradient_sums(product, v, part.total.band_sum, part.total.band_product);
    for (std::int64_t block = 0; block < blocks_of(f_.g.out); ++block)
      std::fill_n(work.dy + block * product.a_block + count * kBlock, (whole(count) - count) * kBlock, Bf16{0});
    bf16::turn(work.dy, product.a_block, whole(count), f_.g.out, work.turned);
    k_.products.outer(work.turned, f_.g.out, count, work.filtered, work.y.most * 16, f_.g.inner, part.sums.project);
  }

  void through_block(const Part& part, std::int64_t index, const Band& band, const Arguments& a) const {
    const Work& work = part.work;
    k_.expand(f_, part.weights, part.expansion, work, band, a);
    const std::int64_t first = band.out.begin * f_.g.out_width, count = band.out.size() * f_.g.out_width;
    const bf16::Product product = from_dy(part, first, count, a);
    find_places(f_.rings.gradient, band.out, f_.g.out_width, work.places);
    k_.live.gradient(product, rows_of_v(part, first, a), {part.norm.mean, part.norm.scale, part.taken.mean, part.taken.product},
                     {work.gradient, f_.rings.gradient.positions() * 16, work.places});
    through_depthwise(part, index, band);
    if (f_.op.expands) return add_up_norm(part, index, band, a);
    const std::int64_t at = band.done.begin * f_.g.width * f_.g.in;
    bf16::from_halves(work.exact, work.done.most * 16, work.done.of(band.done.size()), dx_of(work, at, a));
  }

  /// Rows of x that belong to a part.
  [[nodiscard]] Range rows_of_x(std::int64_t index) const {
    const Range rows = f_.parts[static_cast<std::size_t>(index)];
    return {rows.begin / f_.g.out_height * f_.g.height, rows.end / f_.g.out_height * f_.g.height};
  }
  /// The part's gradient before the first activation, from a row of x on.
  [[nodiscard]] Bf16* gradient_from(const Part& part, std::int64_t index, std::int64_t row) const {
    const Range rows = rows_of_x(index);
    return part.more.gradient + rows.begin * part.more.numbers_of_row + (row - rows.begin) * part.more.pitch * kBlock;
  }
  [[nodiscard]] std::int64_t gradient_block(const Part& part, std::int64_t index) const {
    return rows_of_x(index).size() * part.more.pitch * kBlock;
  }

  void through_depthwise(const Part& part, std::int64_t index, const Band& band) const {
    const Work& work = part.work;
    find_met_rows(f_.g, f_.rings, band.done, work);
    bf16::DepthwiseBackwardRows rows{};
    rows.rows = band.done.size();
    rows.met = work.met;
    rows.x_half = f_.rings.expanded.positions() * 16;
    rows.g_half = f_.rings.gradient.positions() * 16;
    rows.kernel_h = f_.op.window.kernel_h;
    rows.w = part.weights.depthwise_back;
    rows.activation = f_.op.expands ? f_.op.activation : Activation::kNone;
    if (f_.op.expands) {
      rows.dx = gradient_from(part, index, band.done.begin);
      rows.dx_block = gradient_block(part, index);
    }
    rows.pairs = work.expanded_pairs;
    rows.exact = work.exact;
    rows.pairs_half = rows.exact_half = work.done.most * 16;
    rows.dw = part.sums.depthwise;
    rows.db = part.sums.expand_bias;
    rows.width = f_.g.width;
    rows.even_width = work.done.pitch;
    rows.blocks = blocks_of(f_.g.inner);
    bf16::depthwise_backward(f_.op.window, rows);
  }

  /// Rows of x in blocks, each of an even number of positions, as an operand of the first convolution.
  [[nodiscard]] bf16::Product from_x(const Part& part, Range rows, const Arguments& a) const {
    const Work& work = part.work;
    const std::int64_t block = work.done.most * kBlock;
    bf16::to_blocks(a.inputs[0].f32() + rows.begin * f_.g.width * f_.g.in, rows.size() * f_.g.width, f_.g.in,
                    {work.x, block, work.x_packed});
    clear_gaps(work.done, rows.size(), blocks_of(f_.g.in), work.x);
    return {work.x, block, work.done.of(rows.size()), f_.g.in, part.weights.expand, f_.g.inner};
  }

  /// Sums of what has just come through the depthwise convolution, which the first normalisation waits for.
  void add_up_norm(const Part& part, std::int64_t index, const Band& band, const Arguments& a) const {
    k_.live.norm_sums(from_x(part, band.done, a), part.expansion.norm.mean,
                      {gradient_from(part, index, band.done.begin), gradient_block(part, index)}, part.work.x_plain,
                      part.total.band_sum, part.total.band_product);
  }

  [[nodiscard]] bf16::Plain dx_of(const Work& work, std::int64_t at, const Arguments& a) const {
    return {a.outputs[0].f32() + at,
            f_.g.in,
            work.x_plain,
            nullptr,
            Activation::kNone,
            nullptr,
            large_ && bf16::can_stream(a.outputs[0].f32(), f_.g.in)};
  }

  /// From the gradient before the first activation to dx and dwe.
  void through_expand(const Part& part, std::int64_t index, Range rows, const Arguments& a) const {
    const Work& work = part.work;
    const std::int64_t positions = work.done.of(rows.size()), block = work.done.most * kBlock, half = work.done.most * 16;
    const LiveNorm& norm = part.expansion.norm;
    const bf16::Product product = from_x(part, rows, a);
    k_.live.through_norm(product, {norm.mean, norm.scale, part.more.taken->mean, part.more.taken->product},
                         {gradient_from(part, index, rows.begin), gradient_block(part, index)},
                         {work.expanded_gradient, block, work.expanded_pairs, half});
    clear_tail(work.done, rows.size(), 2 * blocks_of(f_.g.inner), work.expanded_pairs);
    bf16::turn(work.x, block, whole(positions), f_.g.in, work.turned);
    k_.products.outer(work.turned, f_.g.in, positions, work.expanded_pairs, half, f_.g.inner, part.sums.expand);
    k_.products.narrow({work.expanded_gradient, block, positions, f_.g.inner, part.weights.expand_back, f_.g.in}, nullptr,
                       dx_of(work, rows.begin * f_.g.width * f_.g.in, a));
  }

  void finish(const Memory& memory, const Arguments& a) const {
    const Geometry& g = f_.g;
    if (f_.op.expands) {
      memory.more.taken->set(g.inner, memory.totals, f_.x_positions(), memory.expansion.norm.inverse, a.outputs[2].f32(),
                             a.outputs[3].f32());
      for_parts(memory, [&](std::int64_t index, const Part& part) {
        const Range all = rows_of_x(index);
        for (std::int64_t row = all.begin; row < all.end; row += f_.rings.done)
          through_expand(part, index, {row, std::min(row + f_.rings.done, all.end)}, a);
      });
    }
    const Sums total = add_up(memory);
    if (f_.op.expands) {
      unpack_rows(f_.context, total.expand, g.in, tiles_of(g.in) * 16, g.inner, 1, g.in, a.outputs[1].f32());
    }
    unpack_rows(f_.context, total.depthwise, g.taps(), g.taps(), g.inner, 1, g.taps(), a.outputs[wd_].f32());
    unpack_rows(f_.context, total.project, g.out, tiles_of(g.out) * 16, g.inner, g.inner, 1, a.outputs[wd_ + 3].f32());
  }

  Kernels k_;
  bool large_;
};

}  // namespace

KernelResult prepare_live_bf16(const Setup& setup, const graph::InvertedResidualTrain& op) {
  return make_live<Forward>(setup.bf16_kernel_name("inverted_residual_train"), setup, op);
}

KernelResult prepare_live_bf16(const Setup& setup, const graph::InvertedResidualTrainBackward& op) {
  return make_live<Backward>(setup.bf16_kernel_name("inverted_residual_train_backward"), setup, op.forward);
}

}  // namespace fovea::cpu::block

#else

namespace fovea::cpu::block {

KernelResult prepare_live_bf16(const Setup& /*setup*/, const graph::InvertedResidualTrain& /*op*/) {
  return fail(Error::Kind::kUnsupported, "cpu backend: this processor does not multiply bf16");
}
KernelResult prepare_live_bf16(const Setup& /*setup*/, const graph::InvertedResidualTrainBackward& /*op*/) {
  return fail(Error::Kind::kUnsupported, "cpu backend: this processor does not multiply bf16");
}

}  // namespace fovea::cpu::block

#endif
