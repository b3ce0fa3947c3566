// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "backend/cpu/block/live.h"
#include "backend/cpu/block/live_correction.h"
#include "backend/cpu/block/live_frame.h"
#include "backend/cpu/part_sums.h"
#include "backend/function_kernel.h"
#include "core/parallel.h"

namespace fovea::cpu::block {
namespace {

using namespace f32_memory;
using graph::Activation;

class Backward {
 public:
  Backward(const Setup& setup, const graph::InvertedResidualTrain& op)
      : f_(setup, op, true),
        wd_(depthwise_weight(op)),
        correction_(f_.context, f_.g, setup.target),
        sum_parts_(elementwise(setup.target).sum_parts),
        sums_(Sums(f_.g, nullptr).floats),
        part_bytes_(ChannelSums(f_.pitch(), nullptr).bytes),
        work_bytes_(Work(f_.g, f_.rings, f_.rows, true, nullptr).bytes) {}

  [[nodiscard]] std::size_t scratch_bytes() const { return Memory(*this, nullptr).bytes; }

  void run(const Arguments& a) const {
    const Memory memory(*this, a.scratch);
    Plain plain{.wd = a.inputs[wd_].f32(), .wp = a.inputs[wd_ + 3].f32()};
    if (f_.op.expands) {
      f_.find_expansion(a, memory.expansion, memory.expanded_mean, memory.expanded_var);
      plain.we = memory.expansion.weights;
      plain.be = memory.expansion.bias;
    }
    memory.weights.pack(f_.g, f_.context, plain);
    memory.norm.set(f_.g.inner, a.inputs[wd_ + 1].f32(), a.inputs[wd_ + 2].f32(), a.inputs[wd_ + 5].f32(),
                    a.inputs[wd_ + 6].f32(), f_.op.eps);
    parallel_for(f_.team, f_.team.threads,
                 [&](std::int64_t worker) { f_.bands.begin(f_.g, f_.rings, work_of(memory, worker), true); });
    for_parts(memory,
              [&](std::int64_t part, const Work& work, const Sums& sums) { through_project(a, memory, part, work, sums); });
    join_sums(a, memory);
    for_parts(memory, [&](std::int64_t part, const Work& work, const Sums& sums) { through_block(a, memory, part, work, sums); });
    finish(a, memory);
  }

 private:
  struct Memory {
    Memory(const Backward& of, std::byte* memory)
        : pieces(memory),
          weights(take_weights(of.f_.g, true, pieces)),
          expansion(of.f_.g, of.f_.moments, pieces),
          norm(of.f_.g.inner, pieces) {
      const auto parts = static_cast<std::int64_t>(of.f_.parts.size());
      if (of.f_.op.expands) {
        expanded_mean = pieces.take<float>(of.f_.g.inner);
        expanded_var = pieces.take<float>(of.f_.g.inner);
        correction = pieces.take<std::byte>(static_cast<std::int64_t>(of.correction_.scratch_bytes()));
      }
      mean_gradient = pieces.take<float>(of.f_.pitch());
      mean_product = pieces.take<float>(of.f_.pitch());
      part_sums = pieces.take<std::byte>(parts * static_cast<std::int64_t>(of.part_bytes_));
      sums = pieces.take<float>(parts * of.sums_);
      works = pieces.take<std::byte>(of.f_.team.threads * static_cast<std::int64_t>(of.work_bytes_));
      gradient = pieces.take<float>(of.f_.positions() * of.f_.pitch());
      bytes = pieces.bytes();
    }

    Pieces pieces;
    Weights weights;
    LiveExpansion expansion;
    LiveNorm norm;
    float* expanded_mean = nullptr;
    float* expanded_var = nullptr;
    std::byte* correction = nullptr;
    float* mean_gradient;  ///< of g, and of g (v - mean) / var, as what reaches v needs them
    float* mean_product;
    std::byte* part_sums;
    float* sums;
    std::byte* works;
    float* gradient;  ///< g, band after band, each in blocks
    std::size_t bytes;
  };

  [[nodiscard]] Work work_of(const Memory& memory, std::int64_t worker) const {
    return {f_.g, f_.rings, f_.rows, true, memory.works + static_cast<std::size_t>(worker) * work_bytes_};
  }
  /// Of g, the gradient before the second activation, and of g (v - mean).
  [[nodiscard]] ChannelSums gradient_sums_of(const Memory& memory, std::int64_t part) const {
    return {f_.pitch(), memory.part_sums + static_cast<std::size_t>(part) * part_bytes_};
  }

  /// body(part, work, the part's sums).
  template <class Body>
  void for_parts(const Memory& memory, const Body& body) const {
    parallel_for(f_.team, static_cast<std::int64_t>(f_.parts.size()), [&](std::int64_t part, int worker) {
      body(part, work_of(memory, worker), Sums(f_.g, memory.sums + part * sums_));
    });
  }

  /// g of the part's positions, dwp and the sums that what reaches v waits for.
  void through_project(const Arguments& a, const Memory& memory, std::int64_t part, const Work& work, const Sums& sums) const {
    const ChannelSums total = gradient_sums_of(memory, part);
    std::fill_n(memory.sums + part * sums_, sums_, 0.0F);
    total.begin();
    const std::int64_t together = work.y_positions, block = together * kBlockChannels, blocks = blocks_of(f_.g.inner);
    const Range rows = f_.parts[static_cast<std::size_t>(part)];
    for (std::int64_t first = rows.begin * f_.g.out_width; first < rows.end * f_.g.out_width; first += together) {
      const std::int64_t count = std::min(together, rows.end * f_.g.out_width - first);
      const float* v = a.inputs[wd_ + 4].f32() + first * f_.g.inner;
      const float* dy = a.inputs[wd_ + 7].f32() + first * f_.g.out;
      f_.norms.normalise_to_blocks(f_.op.activation, memory.norm.by(), v, count, f_.g.inner,
                                   {work.filtered, block, work.in_order});
      f_.products.to_blocks(dy, count, f_.g.out, {work.y_gradient, block, work.in_order});
      total.begin_band();
      f_.products.gradient_of_norm({work.y_gradient, block, count, f_.g.out, memory.weights.project_back, blocks},
                                   f_.op.activation, memory.norm.by(), v, f_.g.inner,
                                   {memory.gradient + first * f_.pitch(), count * kBlockChannels, work.in_order}, total.band_sum,
                                   total.band_product);
      total.end_band(f_.norms);
      f_.products.outer(dy, f_.g.out, count, work.filtered, block, blocks, sums.project);
    }
  }

  /// dgd and dbd, and the means by which the second normalisation takes away.
  void join_sums(const Arguments& a, const Memory& memory) const {
    const auto count = static_cast<double>(f_.positions());
    std::fill_n(memory.mean_gradient, f_.pitch(), 0.0F);
    std::fill_n(memory.mean_product, f_.pitch(), 0.0F);
    for (std::int64_t c = 0; c < f_.g.inner; ++c) {
      double sum = 0, product = 0;
      for (std::int64_t part = 0; part < static_cast<std::int64_t>(f_.parts.size()); ++part) {
        const ChannelSums more = gradient_sums_of(memory, part);
        sum += more.sum[c];
        product += more.product[c];
      }
      const auto inverse = static_cast<double>(memory.norm.inverse[c]);
      a.outputs[wd_ + 1].f32()[c] = static_cast<float>(product * inverse);
      a.outputs[wd_ + 2].f32()[c] = static_cast<float>(sum);
      memory.mean_gradient[c] = static_cast<float>(sum / count);
      memory.mean_product[c] = static_cast<float>(product * inverse * inverse / count);
    }
  }

  /// From g to dx, but for what the first normalisation takes away.
  void through_block(const Arguments& a, const Memory& memory, std::int64_t part, const Work& work, const Sums& sums) const {
    const float* x = a.inputs[0].f32();
    const float* v = a.inputs[wd_ + 4].f32();
    for_bands(f_.g, f_.parts[static_cast<std::size_t>(part)], f_.rows, [&](const Band& band) {
      f_.bands.expand(f_.g, f_.rings, memory.weights, work, band, x);
      find_places(f_.rings.gradient, band.out, f_.g.out_width, work.places);
      const std::int64_t first = band.out.begin * f_.g.out_width;
      f_.norms.backward_to_blocks(memory.norm.by(), memory.mean_gradient, memory.mean_product, v + first * f_.g.inner,
                                  memory.gradient + first * f_.pitch(), band.out.size() * f_.g.out_width, f_.g.inner,
                                  {work.gradient, block_of(f_.rings.gradient), work.places});
      f_.bands.through_depthwise(f_.g, f_.rings, memory.weights, work, band, sums);
      through_expand(memory, work, band, x, a.outputs[0].f32(), sums);
    });
  }

  void through_expand(const Memory& memory, const Work& work, const Band& band, const float* x, float* dx,
                      const Sums& sums) const {
    const std::int64_t positions = band.done.size() * f_.g.width, block = work.done_positions * kBlockChannels;
    const std::int64_t at = band.done.begin * f_.g.width * f_.g.in;
    if (!f_.op.expands) {
      f_.products.from_blocks(work.expanded_gradient, block, positions, f_.g.in, nullptr, Activation::kNone, nullptr, dx + at);
      return;
    }
    // x's blocks of the band are not needed any more.
    float* const centred = work.narrow;
    f_.norms.centre(x + at, positions, f_.g.in, memory.expansion.centre, centred);
    f_.products.outer(centred, f_.g.in, positions, work.expanded_gradient, block, blocks_of(f_.g.inner), sums.expand);
    f_.products.narrow({work.expanded_gradient, block, positions, f_.g.inner, memory.weights.expand_back, blocks_of(f_.g.in)},
                       f_.g.in, nullptr, nullptr, Activation::kNone, nullptr, dx + at);
  }

  /// The weights' gradients from the parts' sums, the first of which takes the total.
  void finish(const Arguments& a, const Memory& memory) const {
    add_up_parts(f_.context, sum_parts_, memory.sums, static_cast<std::int64_t>(f_.parts.size()), sums_);
    const Sums total(f_.g, memory.sums);
    unpack_panels(f_.context, total.depthwise, f_.g.taps(), f_.g.inner, 1, f_.g.taps(), a.outputs[wd_].f32());
    unpack_panels(f_.context, total.project, f_.g.out, f_.g.inner, f_.g.inner, 1, a.outputs[wd_ + 3].f32());
    if (f_.op.expands) correction_.run(a, memory.expansion, total, memory.correction);
  }

  LiveFrame f_;
  std::size_t wd_;  ///< which input is wd, and which output its gradient
  LiveCorrection correction_;
  SumPartsKernel* sum_parts_;
  std::int64_t sums_;  ///< floats of a part
  std::size_t part_bytes_;
  std::size_t work_bytes_;
};

}  // namespace

KernelResult prepare_live(const Setup& setup, const graph::InvertedResidualTrainBackward& op) {
  const auto backward = std::make_shared<const Backward>(setup, op.forward);
  return make_kernel({setup.kernel_name("inverted_residual_train_backward"), 0, backward->scratch_bytes(), std::nullopt},
                     [backward](const Arguments& a) { backward->run(a); });
}

}  // namespace fovea::cpu::block
