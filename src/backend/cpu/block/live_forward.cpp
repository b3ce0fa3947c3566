// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "backend/cpu/block/live.h"
#include "backend/cpu/block/live_frame.h"
#include "backend/function_kernel.h"
#include "core/parallel.h"

namespace fovea::cpu::block {
namespace {

using namespace f32_memory;

class Forward {
 public:
  Forward(const Setup& setup, const graph::InvertedResidualTrain& op)
      : f_(setup, op, false),
        part_bytes_(ChannelSums(f_.pitch(), nullptr).bytes),
        work_bytes_(Work(f_.g, f_.rings, f_.rows, false, nullptr).bytes) {}

  [[nodiscard]] std::size_t scratch_bytes() const { return Memory(*this, nullptr).bytes; }

  void run(const Arguments& a) const {
    const Memory memory(*this, a.scratch);
    const std::size_t wd = depthwise_weight(f_.op), statistics = a.outputs.size() - 2;
    Plain plain{.wd = a.inputs[wd].f32(), .wp = a.inputs[wd + 3].f32()};
    if (f_.op.expands) {
      f_.find_expansion(a, memory.expansion, a.outputs[2].f32(), a.outputs[3].f32());
      plain.we = memory.expansion.weights;
      plain.be = memory.expansion.bias;
    }
    memory.weights.pack(f_.g, f_.context, plain);
    filter(a, memory);
    float* const mean = a.outputs[statistics].f32();
    float* const var = a.outputs[statistics + 1].f32();
    join_moments(memory, mean, var);
    memory.norm.set(f_.g.inner, a.inputs[wd + 1].f32(), a.inputs[wd + 2].f32(), mean, var, f_.op.eps);
    project(a, memory);
  }

 private:
  struct Memory {
    Memory(const Forward& of, std::byte* memory)
        : pieces(memory),
          weights(take_weights(of.f_.g, false, pieces)),
          expansion(of.f_.g, of.f_.moments, pieces),
          norm(of.f_.g.inner, pieces),
          pivots(pieces.take<float>(static_cast<std::int64_t>(of.f_.parts.size()) * of.f_.pitch())),
          moments(pieces.take<std::byte>(static_cast<std::int64_t>(of.f_.parts.size() * of.part_bytes_))),
          works(pieces.take<std::byte>(of.f_.team.threads * static_cast<std::int64_t>(of.work_bytes_))),
          bytes(pieces.bytes()) {}

    Pieces pieces;
    Weights weights;
    LiveExpansion expansion;
    LiveNorm norm;
    float* pivots;  ///< of each part: what deviations are from
    std::byte* moments;
    std::byte* works;
    std::size_t bytes;
  };

  [[nodiscard]] Work work_of(const Memory& memory, std::int64_t worker) const {
    return {f_.g, f_.rings, f_.rows, false, memory.works + static_cast<std::size_t>(worker) * work_bytes_};
  }
  [[nodiscard]] float* pivot_of(const Memory& memory, std::size_t part) const {
    return memory.pivots + static_cast<std::int64_t>(part) * f_.pitch();
  }
  /// Of deviations from the pivot, and of their squares.
  [[nodiscard]] ChannelSums moments_of(const Memory& memory, std::size_t part) const {
    return {f_.pitch(), memory.moments + part * part_bytes_};
  }

  /// v, and its moments part by part.
  void filter(const Arguments& a, const Memory& memory) const {
    parallel_for(f_.team, f_.team.threads,
                 [&](std::int64_t worker) { f_.bands.begin(f_.g, f_.rings, work_of(memory, worker), false); });
    parallel_for(f_.team, static_cast<std::int64_t>(f_.parts.size()), [&](std::int64_t part, int worker) {
      const Work work = work_of(memory, worker);
      const auto index = static_cast<std::size_t>(part);
      const ChannelSums moments = moments_of(memory, index);
      float* const pivot = pivot_of(memory, index);
      moments.begin();
      const Range rows = f_.parts[index];
      for_bands(f_.g, rows, f_.rows, [&](const Band& band) {
        f_.bands.expand(f_.g, f_.rings, memory.weights, work, band, a.inputs[0].f32());
        f_.bands.depthwise(f_.g, f_.rings, memory.weights, work, band, graph::Activation::kNone);
        if (band.out.begin == rows.begin) find_pivot(work, pivot);
        keep(a, work, band, pivot, moments);
      });
    });
  }

  /// The part's first position is near enough to the mean that squares do not drown in it.
  void find_pivot(const Work& work, float* pivot) const {
    for (std::int64_t b = 0; b < blocks_of(f_.g.inner); ++b)
      std::copy_n(work.filtered + b * work.y_positions * kBlockChannels, kBlockChannels, pivot + b * kBlockChannels);
  }

  /// A band of v to its place.
  void keep(const Arguments& a, const Work& work, const Band& band, const float* pivot, const ChannelSums& moments) const {
    moments.begin_band();
    f_.norms.moments_from_blocks(work.filtered, work.y_positions * kBlockChannels, band.out.size() * f_.g.out_width, f_.g.inner,
                                 pivot, a.outputs[1].f32() + band.out.begin * f_.g.out_width * f_.g.inner, moments.band_sum,
                                 moments.band_product);
    moments.end_band(f_.norms);
  }

  /// Mean and variance over all parts, each of which has a pivot of its own (Chan, Golub and LeVeque, "Algorithms for computing
  /// the sample variance", 1983, formula 2.1).
  void join_moments(const Memory& memory, float* mean, float* var) const {
    for (std::int64_t c = 0; c < f_.g.inner; ++c) {
      double count = 0, centre = 0, squares = 0;
      for (std::size_t part = 0; part < f_.parts.size(); ++part) {
        const ChannelSums moments = moments_of(memory, part);
        const double more = static_cast<double>(f_.parts[part].size() * f_.g.out_width);
        const double offset = moments.sum[c] / more;
        const double distance = static_cast<double>(pivot_of(memory, part)[c]) + offset - centre;
        squares += moments.product[c] - moments.sum[c] * offset + distance * distance * count * more / (count + more);
        count += more;
        centre += distance * more / count;
      }
      mean[c] = static_cast<float>(centre);
      var[c] = static_cast<float>(std::max(squares / count, 0.0));
    }
  }

  /// y from v; the last rows first, which may still be in a cache.
  void project(const Arguments& a, const Memory& memory) const {
    const std::int64_t together = f_.rows * f_.g.out_width, positions = f_.positions();
    const std::int64_t count = (positions + together - 1) / together, block = together * kBlockChannels;
    parallel_for(f_.team, f_.team.threads, [&](std::int64_t share, int worker) {
      const Work work = work_of(memory, worker);
      const Range mine = part_of(count, f_.team.threads, share);
      for (std::int64_t i = mine.end; i-- > mine.begin;) {
        const std::int64_t first = i * together, rows = std::min(together, positions - first);
        f_.norms.normalise_to_blocks(f_.op.activation, memory.norm.by(), a.outputs[1].f32() + first * f_.g.inner, rows,
                                     f_.g.inner, {work.filtered, block, work.in_order});
        f_.products.narrow({work.filtered, block, rows, f_.g.inner, memory.weights.project, blocks_of(f_.g.out)}, f_.g.out,
                           nullptr, nullptr, graph::Activation::kNone, nullptr, a.outputs[0].f32() + first * f_.g.out);
      }
    });
  }

  LiveFrame f_;
  std::size_t part_bytes_;
  std::size_t work_bytes_;
};

}  // namespace

KernelResult prepare_live(const Setup& setup, const graph::InvertedResidualTrain& op) {
  const auto forward = std::make_shared<const Forward>(setup, op);
  return make_kernel({setup.kernel_name("inverted_residual_train"), 0, forward->scratch_bytes(), std::nullopt},
                     [forward](const Arguments& a) { forward->run(a); });
}

}  // namespace fovea::cpu::block
