// SPDX-License-Identifier: Apache-2.0
#include "backend/cpu/block/f32_bands.h"
#include "backend/cpu/block/live.h"
#include "backend/cpu/block/live_backward.h"
#include "backend/cpu/block/live_correction.h"
#include "backend/cpu/block/live_forward.h"

namespace fovea::cpu::block {
namespace {

using namespace f32_memory;
using graph::Activation;

struct Nothing {};

/// What both passes have in common.
struct Kernels {
  Kernels(const Setup& setup, const graph::InvertedResidualTrain& op)
      : bands(setup.target, op.window), products(block_kernels(setup.target)) {}

  static void pack(const LiveFrame& f, const Weights& weights, const Arguments& a, const LiveExpansion& expansion) {
    const std::size_t wd = depthwise_weight(f.op);
    weights.pack(f.g, f.context,
                 {.we = expansion.weights, .be = expansion.bias, .wd = a.inputs[wd].f32(), .wp = a.inputs[wd + 3].f32()});
  }
  [[nodiscard]] static std::int64_t bytes_of_row(const Geometry& g) {
    return (g.op.window.stride * g.width + g.out_width) * g.inner * static_cast<std::int64_t>(sizeof(float));
  }

  F32Bands bands;
  BlockKernels products;
};

class Forward : public LiveForward<Forward, Weights, Work> {
 public:
  Forward(const Setup& setup, const graph::InvertedResidualTrain& op) : LiveForward(setup, op), k_(setup, op) {}

 private:
  friend LiveForward;

  [[nodiscard]] static std::int64_t bytes_of_row(const Geometry& g) { return Kernels::bytes_of_row(g); }
  [[nodiscard]] static Nothing on_thread() { return {}; }
  void begin(const Work& work) const { k_.bands.begin(f_.g, f_.rings, work, false); }
  void pack(const Weights& weights, const Arguments& a, const LiveExpansion& expansion) const {
    Kernels::pack(f_, weights, a, expansion);
  }

  void filter(const Weights& weights, const LiveExpansion& /*expansion*/, const Work& work, const Band& band,
              const Arguments& a) const {
    k_.bands.expand(f_.g, f_.rings, weights, work, band, a.inputs[0].f32());
    k_.bands.depthwise(f_.g, f_.rings, weights, work, band, Activation::kNone);
  }

  void find_pivot(const Work& work, float* pivot) const {
    for (std::int64_t b = 0; b < blocks_of(f_.g.inner); ++b)
      std::copy_n(work.filtered + b * work.y_positions * kBlockChannels, kBlockChannels, pivot + b * kBlockChannels);
  }

  void keep(const Work& work, const Band& band, const float* pivot, const ChannelSums& moments, const Arguments& a) const {
    f_.norms.moments_from_blocks(work.filtered, work.y_positions * kBlockChannels, band.out.size() * f_.g.out_width, f_.g.inner,
                                 pivot, a.outputs[1].f32() + band.out.begin * f_.g.out_width * f_.g.inner, moments.band_sum,
                                 moments.band_product);
  }

  void project(const Weights& weights, const LiveNorm& norm, const Work& work, std::int64_t first, std::int64_t count,
               const Arguments& a) const {
    const std::int64_t block = work.y_positions * kBlockChannels;
    f_.norms.normalise_to_blocks(f_.op.activation, norm.by(), a.outputs[1].f32() + first * f_.g.inner, count, f_.g.inner,
                                 {work.filtered, block, work.in_order});
    k_.products.narrow({work.filtered, block, count, f_.g.inner, weights.project, blocks_of(f_.g.out)}, f_.g.out, nullptr,
                       nullptr, Activation::kNone, nullptr, a.outputs[0].f32() + first * f_.g.out);
  }

  Kernels k_;
};

/// g goes through memory, and what the first normalisation takes away is taken at the end.
struct Kind {
  using Weights = f32_memory::Weights;
  using Work = f32_memory::Work;
  using Sums = f32_memory::Sums;
  struct More {
    More(const LiveFrame& f, Pieces& pieces)
        : pitch(blocks_of(f.g.inner) * kBlockChannels), gradient(pieces.take<float>(f.positions() * pitch)) {
      if (f.op.expands)
        correction = pieces.take<std::byte>(static_cast<std::int64_t>(LiveCorrection::scratch_bytes(f.context, f.g)));
    }
    std::int64_t pitch;
    float* gradient;  ///< g, band after band, each in blocks
    std::byte* correction = nullptr;
  };
};

class Backward : public LiveBackward<Backward, Kind> {
 public:
  Backward(const Setup& setup, const graph::InvertedResidualTrain& op)
      : LiveBackward(setup, op), k_(setup, op), correction_(f_.context, f_.g, setup.target) {}

 private:
  friend LiveBackward;

  [[nodiscard]] static std::int64_t bytes_of_row(const Geometry& g) { return 2 * Kernels::bytes_of_row(g); }
  [[nodiscard]] static Nothing on_thread() { return {}; }
  void begin(const Work& work) const { k_.bands.begin(f_.g, f_.rings, work, true); }
  void pack(const Weights& weights, const Arguments& a, const LiveExpansion& expansion) const {
    Kernels::pack(f_, weights, a, expansion);
  }

  void through_project(const Part& part, std::int64_t first, std::int64_t count, const Arguments& a) const {
    const Work& work = part.work;
    const std::int64_t block = work.y_positions * kBlockChannels, blocks = blocks_of(f_.g.inner);
    const float* v = a.inputs[wd_ + 4].f32() + first * f_.g.inner;
    const float* dy = a.inputs[md_ + 2].f32() + first * f_.g.out;
    f_.norms.normalise_to_blocks(f_.op.activation, part.norm.by(), v, count, f_.g.inner, {work.filtered, block, work.in_order});
    k_.products.to_blocks(dy, count, f_.g.out, {work.y_gradient, block, work.in_order});
    k_.products.gradient_of_norm({work.y_gradient, block, count, f_.g.out, part.weights.project_back, blocks}, f_.op.activation,
                                 part.norm.by(), v, f_.g.inner,
                                 {part.more.gradient + first * part.more.pitch, count * kBlockChannels, work.in_order},
                                 part.total.band_sum, part.total.band_product);
    k_.products.outer(dy, f_.g.out, count, work.filtered, block, blocks, part.sums.project);
  }

  /// From g to dx, but for what the first normalisation takes away.
  void through_block(const Part& part, std::int64_t /*index*/, const Band& band, const Arguments& a) const {
    const Work& work = part.work;
    const float* x = a.inputs[0].f32();
    k_.bands.expand(f_.g, f_.rings, part.weights, work, band, x);
    find_places(f_.rings.gradient, band.out, f_.g.out_width, work.places);
    const std::int64_t first = band.out.begin * f_.g.out_width;
    f_.norms.backward_to_blocks(part.norm.by(), part.taken.mean, part.taken.product, a.inputs[wd_ + 4].f32() + first * f_.g.inner,
                                part.more.gradient + first * part.more.pitch, band.out.size() * f_.g.out_width, f_.g.inner,
                                {work.gradient, block_of(f_.rings.gradient), work.places});
    k_.bands.through_depthwise(f_.g, f_.rings, part.weights, work, band, part.sums);
    through_expand(part, band, x, a.outputs[0].f32());
  }

  void through_expand(const Part& part, const Band& band, const float* x, float* dx) const {
    const Work& work = part.work;
    const std::int64_t positions = band.done.size() * f_.g.width, block = work.done_positions * kBlockChannels;
    const std::int64_t at = band.done.begin * f_.g.width * f_.g.in;
    if (!f_.op.expands) {
      k_.products.from_blocks(work.expanded_gradient, block, positions, f_.g.in, nullptr, Activation::kNone, nullptr, dx + at);
      return;
    }
    // x's blocks of the band are not needed any more.
    float* const centred = work.narrow;
    f_.norms.centre(x + at, positions, f_.g.in, part.expansion.centre, centred);
    k_.products.outer(centred, f_.g.in, positions, work.expanded_gradient, block, blocks_of(f_.g.inner), part.sums.expand);
    k_.products.narrow({work.expanded_gradient, block, positions, f_.g.inner, part.weights.expand_back, blocks_of(f_.g.in)},
                       f_.g.in, nullptr, nullptr, Activation::kNone, nullptr, dx + at);
  }

  /// The weights' gradients from the parts' sums.
  void finish(const Memory& memory, const Arguments& a) const {
    const Sums total = add_up(memory);
    unpack_panels(f_.context, total.depthwise, f_.g.taps(), f_.g.inner, 1, f_.g.taps(), a.outputs[wd_].f32());
    unpack_panels(f_.context, total.project, f_.g.out, f_.g.inner, f_.g.inner, 1, a.outputs[wd_ + 3].f32());
    if (f_.op.expands) correction_.run(a, memory.expansion, total, memory.more.correction);
  }

  Kernels k_;
  LiveCorrection correction_;
};

}  // namespace

KernelResult prepare_live(const Setup& setup, const graph::InvertedResidualTrain& op) {
  return make_live<Forward>(setup.kernel_name("inverted_residual_train"), setup, op);
}

KernelResult prepare_live(const Setup& setup, const graph::InvertedResidualTrainBackward& op) {
  return make_live<Backward>(setup.kernel_name("inverted_residual_train_backward"), setup, op.forward);
}

}  // namespace fovea::cpu::block
