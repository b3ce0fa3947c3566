// SPDX-License-Identifier: Apache-2.0
#include "backend/cpu/block/f32.h"

#include <fmt/format.h>

#include <algorithm>

#include "backend/cpu/block/f32_bands.h"
#include "backend/cpu/block/passes.h"
#include "backend/cpu/choose.h"

namespace fovea::cpu::block {
namespace {

using namespace f32_memory;
using graph::Activation;

class Block : public Passes<Block, Weights, Sums, Work> {
 public:
  Block(const Setup& setup, const graph::InvertedResidual& op, bool backward, bool by_channels = false)
      : Passes(setup, op, backward, by_channels), kernels_(block_kernels(setup.target)), bands_(setup.target, op.window) {}

  void forward(const Arguments& a) const { by_channels_ ? forward_by_channels(a) : Passes::forward(a); }

 private:
  friend Passes;
  struct Nothing {};
  static constexpr Spacing kSpacing = Spacing::kSingle;

  [[nodiscard]] static Nothing on_thread() { return {}; }

  [[nodiscard]] static std::int64_t bytes_of_row(const Geometry& g, bool backward) {
    const std::int64_t floats = g.op.window.stride * g.width + g.out_width;
    return (backward ? 2 : 1) * floats * g.inner * static_cast<std::int64_t>(sizeof(float));
  }

  static void foresee(const Work& /*work*/, const Band& /*band*/, const Band& /*next*/, const Arguments& /*a*/) {}
  void begin(const Work& work) const { bands_.begin(g_, rings_, work, backward_); }

  /// The band's rows after both activations.
  void filter(const Weights& weights, const Work& work, const Band& band, const Arguments& a) const {
    bands_.expand(g_, rings_, weights, work, band, a.inputs[0].f32());
    bands_.depthwise(g_, rings_, weights, work, band, g_.op.activation);
  }

  void project_panels(const Weights& weights, const Work& work, const Band& band, const Arguments& a, Range panels) const {
    const std::int64_t at = band.out.begin * g_.out_width * g_.out;
    const BlockProduct product{
        work.filtered, work.y_positions * kBlockChannels, band.out.size() * g_.out_width, g_.inner, weights.project, panels.end,
        panels.begin};
    kernels_.narrow(product, g_.out, weights.project_bias, g_.op.residual ? a.inputs[0].f32() + at : nullptr, Activation::kNone,
                    nullptr, a.outputs[0].f32() + at);
  }

  void project(const Weights& weights, const Work& work, const Band& band, const Arguments& a) const {
    project_panels(weights, work, band, a, {0, blocks_of(g_.out)});
  }

  void forward_by_channels(const Arguments& a) const {
    const Weights weights(g_, false, a.packed);
    const Work work(g_, rings_, rows_, false, a.scratch);
    bands_.number(work);
    for_bands(g_, parts_.front(), rows_, [&](const Band& band) {
      bands_.take_in(g_, rings_, work, band, a.inputs[0].f32());
      parallel_ranges(context_, blocks_of(g_.inner), 1, [&](Range blocks) {
        bands_.clear(g_, rings_, work, false, blocks);
        bands_.expand_blocks(g_, rings_, weights, work, band, blocks);
        bands_.depthwise_blocks(g_, rings_, weights, work, band, g_.op.activation, blocks);
      });
      parallel_ranges(context_, blocks_of(g_.out), 1, [&](Range panels) { project_panels(weights, work, band, a, panels); });
    });
  }

  void through_project(const Weights& weights, const Work& work, const Band& band, const TensorView& dy, const Sums& sums) const {
    const std::int64_t positions = band.out.size() * g_.out_width;
    const std::int64_t blocks = blocks_of(g_.inner), y_block = work.y_positions * kBlockChannels;
    const float* rows = dy.f32() + band.out.begin * g_.out_width * g_.out;
    kernels_.to_blocks(rows, positions, g_.out, {work.y_gradient, y_block, work.in_order});
    find_places(rings_.gradient, band.out, g_.out_width, work.places);
    kernels_.gradient({work.y_gradient, y_block, positions, g_.out, weights.project_back, blocks}, g_.op.activation,
                      work.filtered, y_block, {work.gradient, block_of(rings_.gradient), work.places}, sums.depthwise_bias);
    kernels_.outer(rows, g_.out, positions, work.filtered, y_block, blocks, sums.project);
    sum_rows_(rows, positions, g_.out, sums.project_bias, false);
  }

  void through_depthwise(const Weights& weights, const Work& work, const Band& band, const Sums& sums) const {
    bands_.through_depthwise(g_, rings_, weights, work, band, sums);
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
  F32Bands bands_;
};

}  // namespace

KernelResult prepare_f32(const Setup& setup, const graph::InvertedResidual& op) {
  const Geometry g(setup, op);
  const bool usual = g.by_channels(setup.context.threads);
  const bool other = g.images == 1 && op.expands && setup.context.threads > 1;  // either is possible, and gives the same bits
  const auto& pad = op.window.pad;
  const std::string fields = fmt::format("inverted_residual /{} pad {} {} {} {}{}", op.window.stride, pad.top, pad.left,
                                         pad.bottom, pad.right, op.residual ? " residual" : "");
  return choose(setup, fields, other ? 2 : 1, [&](std::size_t way) {
    return make_forward(setup.kernel_name("inverted_residual"),
                        std::make_shared<const Block>(setup, op, false, way == 0 ? usual : !usual));
  });
}

KernelResult prepare_f32(const Setup& setup, const graph::InvertedResidualBackward& op) {
  return make_backward<Block>(setup.kernel_name("inverted_residual_backward"), setup, op);
}

}  // namespace fovea::cpu::block
