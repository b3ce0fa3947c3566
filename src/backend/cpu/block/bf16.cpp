// SPDX-License-Identifier: Apache-2.0
#include "backend/cpu/block/bf16.h"

#include <algorithm>

#include "backend/cpu/block/bf16_memory.h"
#include "backend/cpu/block/passes.h"
#include "backend/cpu/kernels/bf16/depthwise.h"
#include "backend/cpu/kernels/bf16/intrinsics.h"
#include "backend/cpu/kernels/bf16/unit.h"
#include "backend/cpu/rows_ahead.h"
#include "backend/numbers_of.h"
#include "core/error.h"

#if FOVEA_HAS_BF16

namespace fovea::cpu::block {
namespace {

using namespace bf16_memory;  // its memory
using graph::Activation;

const bf16::Numbers kNone(nullptr);

class Block : public Passes<Block, Weights, Sums, Work> {
 public:
  Block(const Setup& setup, const graph::InvertedResidual& op, bool backward)
      : Passes(setup, op, backward),
        unit_(setup.target.bf16()),
        products_(bf16::product_kernels(unit_)),
        blocks_(blocks_of(g_.inner)),
        large_(Setup::is_large(setup.output(0))) {}

 private:
  friend Passes;
  static constexpr Spacing kSpacing = Spacing::kPairs;

  [[nodiscard]] bf16::OnThread on_thread() const { return bf16::OnThread(unit_); }

  [[nodiscard]] static std::int64_t bytes_of_row(const Geometry& g, bool backward) {
    const std::int64_t x = g.op.window.stride * g.width;
    return (backward ? 3 * x + 2 * g.out_width : x + g.out_width) * g.inner * static_cast<std::int64_t>(sizeof(Bf16));
  }

  void begin(const Work& work) const {
    clear_pair_margins(rings_.expanded, g_.width, blocks_, work.expanded);
    if (backward_) clear_pair_margins(rings_.gradient, g_.out_width, blocks_, work.gradient);
    const std::int64_t most = std::max({work.y.most, work.made.most, work.done.most});
    number_positions(work.y, most, work.y_packed, work.y_plain);
    number_positions(work.done, most, work.x_packed, work.x_plain);
  }

  [[nodiscard]] std::int64_t expanded_half() const { return rings_.expanded.positions() * 16; }
  [[nodiscard]] std::int64_t gradient_half() const { return rings_.gradient.positions() * 16; }

  /// The band's rows of x after the first activation, into their ring: computed, or as they were kept.
  void expand(const Weights& weights, const Work& work, const Band& band, const Arguments& a) const {
    const std::int64_t rows = band.made.size(), positions = rows * g_.width, at = band.made.begin * g_.width;
    const bf16::Numbers x = numbers(a.inputs[0], at * g_.in);
    const bf16::ScatteredPairs expanded{work.expanded, expanded_half(), work.places};
    find_places(rings_.expanded, band.made, g_.width, work.places);
    if (!g_.op.expands) return bf16::to_pairs(x, rows, g_.width, g_.in, expanded);
    if (g_.op.keeps_expanded && backward_) {
      const bf16::Numbers kept = numbers_of<Bf16>(a.inputs[a.inputs.size() - 2]) + at * g_.inner;
      return bf16::to_pairs(kept, rows, g_.width, g_.inner, expanded);
    }
    const std::int64_t block = work.made.most * kBlock;
    bf16::to_blocks(x, positions, g_.in, {work.x, block, nullptr});
    products_.expand({work.x, block, positions, g_.in, weights.expand, g_.inner, Order::kNatural, work.upcoming},
                     weights.expand_bias, g_.op.activation, expanded);
    if (g_.op.keeps_expanded)
      bf16::from_pairs(expanded, rows, g_.width, g_.inner, numbers_of<Bf16>(a.outputs[1]) + at * g_.inner);
  }
  /// Fetched while this band's products are made, in even portions.
  void foresee(const Work& work, const Band& band, const Band& next, const Arguments& a) const {
    const bool kept = backward_ && g_.op.keeps_expanded;
    const std::int64_t x_row = g_.width * g_.in;
    bf16::Upcoming& upcoming = *work.upcoming;
    upcoming = {};
    upcoming.pieces[0] = kept ? rows_ahead(a.inputs[a.inputs.size() - 2], next.made, g_.width * g_.inner)
                              : rows_ahead(a.inputs[0], next.made, x_row);
    const auto tiles = [](std::int64_t columns, std::int64_t positions) { return blocks_of(columns) * ((positions + 7) / 8); };
    const std::int64_t made = band.made.size() * g_.width, done = band.done.size() * g_.width;
    std::int64_t products = g_.op.expands && !kept ? tiles(g_.inner, made) : 0;
    if (backward_) {
      upcoming.pieces[1] = rows_ahead(a.inputs.back(), next.out, g_.out_width * g_.out);
      if (kept) upcoming.pieces[2] = rows_ahead(a.inputs[0], next.done, x_row);
      products += tiles(g_.inner, work.y.of(band.out.size())) + (g_.op.expands ? tiles(g_.in, done) : 0);
    } else {
      products += tiles(g_.out, work.y.of(band.out.size()));
    }
    upcoming.spread(products);
  }

  /// A tensor's from number `at` on.
  [[nodiscard]] static bf16::Numbers numbers(const TensorView& t, std::int64_t at) {
    return t.dtype == DType::kBF16 ? bf16::Numbers(numbers_of<Bf16>(t) + at) : bf16::Numbers(t.f32() + at);
  }
  /// The rows of the tensor that a pass writes, from number `at` on, `columns` each.
  [[nodiscard]] bf16::Plain plain(const TensorView& t, std::int64_t at, std::int64_t columns, const std::int32_t* positions,
                                  bf16::Numbers plus, Activation activation, bf16::Numbers seen) const {
    std::byte* const data = t.data + at * static_cast<std::int64_t>(size_of(t.dtype));
    return {data, columns, positions, plus, activation, seen, large_ && bf16::can_stream(data, columns), t.dtype == DType::kBF16};
  }

  /// The band's rows after both activations: in blocks, or in the backward pass by pairs.
  void filter(const Weights& weights, const Work& work, const Band& band, const Arguments& a) const {
    expand(weights, work, band, a);
    find_seen_rows(g_, rings_.expanded, band.out, work);
    const std::int64_t position = backward_ ? 16 : kBlock;
    bf16::depthwise(g_.op.window,
                    {.rows = band.out.size(),
                     .x = work.seen,
                     .x_half = expanded_half(),
                     .kernel_h = g_.op.window.kernel_h,
                     .w = weights.depthwise,
                     .b = weights.depthwise_bias,
                     .activation = g_.op.activation,
                     .y = work.filtered,
                     .y_row = work.y.pitch * position,
                     .y_step = work.y.most * position,
                     .out_width = even(g_.out_width),
                     .blocks = blocks_},
                    backward_);
  }

  void project(const Weights& weights, const Work& work, const Band& band, const Arguments& a) const {
    const std::int64_t at = band.out.begin * g_.out_width * g_.out;
    const bf16::Numbers plus = g_.op.residual ? numbers(a.inputs[0], at) : kNone;
    products_.narrow({work.filtered, work.y.most * kBlock, work.y.of(band.out.size()), g_.inner, weights.project, g_.out,
                      Order::kNatural, work.upcoming},
                     weights.project_bias, plain(a.outputs[0], at, g_.out, work.y_plain, plus, Activation::kNone, kNone));
  }

  void through_project(const Weights& weights, const Work& work, const Band& band, const TensorView& dy, const Sums& sums) const {
    const std::int64_t rows = band.out.size(), positions = work.y.of(rows), block = work.y.most * kBlock;
    const bf16::Numbers from = numbers(dy, band.out.begin * g_.out_width * g_.out);
    bf16::to_blocks(from, rows * g_.out_width, g_.out, {work.dy, block, work.y_packed});
    clear_gaps(work.y, rows, blocks_of(g_.out), work.dy);
    clear_tail(work.y, rows, 2 * blocks_, work.filtered);
    find_places(rings_.gradient, band.out, work.y.pitch, work.places);
    products_.gradient({work.dy, block, positions, g_.out, weights.project_back, g_.inner, Order::kNatural, work.upcoming},
                       g_.op.activation, work.filtered, work.y.most * 16, {work.gradient, gradient_half(), work.places},
                       sums.depthwise_bias);
    bf16::turn(work.dy, block, whole(positions), g_.out, work.turned);
    products_.outer(work.turned, g_.out, positions, work.filtered, work.y.most * 16, g_.inner, sums.project);
    if (from.rounded) {
      bf16::add_rows(static_cast<const Bf16*>(from.data), rows * g_.out_width, g_.out, sums.project_bias);
    } else {
      sum_rows_(static_cast<const float*>(from.data), rows * g_.out_width, g_.out, sums.project_bias, false);
    }
  }

  void through_depthwise(const Weights& weights, const Work& work, const Band& band, const Sums& sums) const {
    find_met_rows(g_, rings_, band.done, work);
    bf16::DepthwiseBackwardRows rows{};
    rows.rows = band.done.size();
    rows.met = work.met;
    rows.x_half = expanded_half();
    rows.g_half = gradient_half();
    rows.kernel_h = g_.op.window.kernel_h;
    rows.w = weights.depthwise_back;
    rows.activation = g_.op.expands ? g_.op.activation : Activation::kNone;
    rows.dx = work.expanded_gradient;
    rows.dx_block = work.done.most * kBlock;
    rows.pairs = work.expanded_pairs;
    rows.exact = work.exact;
    rows.pairs_half = rows.exact_half = work.done.most * 16;
    rows.dw = sums.depthwise;
    rows.db = sums.expand_bias;
    rows.width = g_.width;
    rows.even_width = work.done.pitch;
    rows.blocks = blocks_;
    bf16::depthwise_backward(g_.op.window, rows);
  }

  void through_expand(const Weights& weights, const Work& work, const Band& band, const Arguments& a, Activation input_activation,
                      const Sums& sums) const {
    const std::int64_t rows = band.done.size(), positions = work.done.of(rows), block = work.done.most * kBlock;
    const std::int64_t at = band.done.begin * g_.width * g_.in;
    const bf16::Numbers x = numbers(a.inputs[0], at);
    const bf16::Plain dx = plain(a.outputs[0], at, g_.in, work.x_plain, g_.op.residual ? numbers(a.inputs.back(), at) : kNone,
                                 input_activation, input_activation == Activation::kNone ? kNone : x);
    if (!g_.op.expands) {
      bf16::from_halves(work.exact, work.done.most * 16, positions, dx);
      return;
    }
    bf16::to_blocks(x, rows * g_.width, g_.in, {work.x, block, work.x_packed});
    clear_gaps(work.done, rows, blocks_of(g_.in), work.x);
    clear_tail(work.done, rows, 2 * blocks_, work.expanded_pairs);
    bf16::turn(work.x, block, whole(positions), g_.in, work.turned);
    products_.outer(work.turned, g_.in, positions, work.expanded_pairs, work.done.most * 16, g_.inner, sums.expand);
    products_.narrow(
        {work.expanded_gradient, block, positions, g_.inner, weights.expand_back, g_.in, Order::kEvenOdd, work.upcoming}, nullptr,
        dx);
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

  bf16::Unit unit_;
  bf16::ProductKernels products_;
  std::int64_t blocks_;  ///< of the inner channels
  bool large_;           ///< what a pass writes
};

}  // namespace

bool has_bf16(Target target) { return target.bf16() != bf16::Unit::kNone; }

KernelResult prepare_bf16(const Setup& setup, const graph::InvertedResidual& op) {
  return make_forward(setup.bf16_kernel_name("inverted_residual"), std::make_shared<const Block>(setup, op, false));
}

KernelResult prepare_bf16(const Setup& setup, const graph::InvertedResidualBackward& op) {
  return make_backward<Block>(setup.bf16_kernel_name("inverted_residual_backward"), setup, op);
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
