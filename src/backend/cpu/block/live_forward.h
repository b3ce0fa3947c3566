// Fovea: the forward pass of a block with the batch's own statistics, whatever its numbers are stored as.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>

#include "backend/cpu/block/live_frame.h"
#include "core/parallel.h"

namespace fovea::cpu::block {

/// Base of `Derived`, which computes bands:
///   static std::int64_t bytes_of_row(const Geometry&)      wide activations that belong to a row of y
///   on_thread() const                                      what it gives lives while a thread computes
///   begin(Work), pack(Weights, Arguments, LiveExpansion)   a thread's memory, and weights, made ready
///   filter(Weights, LiveExpansion, Work, Band, Arguments)  a band of v, into work
///   find_pivot(Work, float* pivot)                         its first position
///   keep(Work, Band, pivot, ChannelSums, Arguments)        from there to its place; sums of v - pivot and its square grow
///   project(Weights, LiveNorm, Work, first, count, a)      positions of y from v
/// `Weights` (packed) and `Work` (of a thread) lay out memory that they are given.
template <class Derived, class Weights, class Work>
class LiveForward {
 public:
  [[nodiscard]] std::size_t scratch_bytes() const { return Memory(*this, nullptr).bytes; }

  void run(const Arguments& a) const {
    const Memory memory(*this, a.scratch);
    const std::size_t wd = depthwise_weight(f_.op), statistics = a.outputs.size() - 2;
    if (f_.op.expands) f_.find_expansion(a, memory.expansion, a.outputs[2].f32(), a.outputs[3].f32());
    derived().pack(memory.weights, a, memory.expansion);
    filter(a, memory);
    float* const mean = a.outputs[statistics].f32();
    float* const var = a.outputs[statistics + 1].f32();
    join_moments(memory, mean, var);
    memory.norm.set(f_.g.inner, a.inputs[wd + 1].f32(), a.inputs[wd + 2].f32(), mean, var, f_.op.eps);
    project(a, memory);
  }

 protected:
  LiveForward(const Setup& setup, const graph::InvertedResidualTrain& op)
      : f_(setup, op, Derived::bytes_of_row), work_bytes_(Work(f_.g, f_.rings, f_.rows, false, nullptr).bytes) {}

  LiveFrame f_;

 private:
  struct Memory {
    Memory(const LiveForward& of, std::byte* memory)
        : pieces(memory),
          weights(take_weights<Weights>(of.f_.g, false, pieces)),
          expansion(of.f_.g, of.f_.moments, pieces),
          norm(of.f_.g.inner, pieces),
          pivots(pieces.take<float>(static_cast<std::int64_t>(of.f_.parts.size()) * padded(of.f_.g.inner))),
          moments(of.f_.parts.size(), padded(of.f_.g.inner), pieces),
          works(pieces.take<std::byte>(of.f_.team.threads * static_cast<std::int64_t>(of.work_bytes_))),
          bytes(pieces.bytes()) {}

    Pieces pieces;
    Weights weights;
    LiveExpansion expansion;
    LiveNorm norm;
    float* pivots;     ///< of each part: what deviations are from
    PartSums moments;  ///< of deviations from the pivot, and of their squares
    std::byte* works;
    std::size_t bytes;
  };

  [[nodiscard]] const Derived& derived() const { return static_cast<const Derived&>(*this); }
  [[nodiscard]] Work work_of(const Memory& memory, std::int64_t worker) const {
    return {f_.g, f_.rings, f_.rows, false, memory.works + static_cast<std::size_t>(worker) * work_bytes_};
  }
  [[nodiscard]] float* pivot_of(const Memory& memory, std::size_t part) const {
    return memory.pivots + static_cast<std::int64_t>(part) * padded(f_.g.inner);
  }

  /// v, and its moments part by part. The part's first position is near enough to the mean that squares do not drown in it.
  void filter(const Arguments& a, const Memory& memory) const {
    parallel_for(f_.team, f_.team.threads, [&](std::int64_t worker) { derived().begin(work_of(memory, worker)); });
    parallel_for(f_.team, static_cast<std::int64_t>(f_.parts.size()), [&](std::int64_t part, int worker) {
      [[maybe_unused]] const auto on_thread = derived().on_thread();
      const Work work = work_of(memory, worker);
      const auto index = static_cast<std::size_t>(part);
      const ChannelSums moments = memory.moments.of(index);
      float* const pivot = pivot_of(memory, index);
      moments.begin();
      const Range rows = f_.parts[index];
      for_bands(f_.g, rows, f_.rows, [&](const Band& band) {
        derived().filter(memory.weights, memory.expansion, work, band, a);
        if (band.out.begin == rows.begin) derived().find_pivot(work, pivot);
        moments.begin_band();
        derived().keep(work, band, pivot, moments, a);
        moments.end_band(f_.norms);
      });
    });
  }

  /// Mean and variance over all parts, each of which has a pivot of its own (Chan, Golub and LeVeque, "Algorithms for computing
  /// the sample variance", 1983, formula 2.1).
  void join_moments(const Memory& memory, float* mean, float* var) const {
    for (std::int64_t c = 0; c < f_.g.inner; ++c) {
      double count = 0, centre = 0, squares = 0;
      for (std::size_t part = 0; part < f_.parts.size(); ++part) {
        const ChannelSums moments = memory.moments.of(part);
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
    const std::int64_t count = (positions + together - 1) / together;
    parallel_for(f_.team, f_.team.threads, [&](std::int64_t share, int worker) {
      [[maybe_unused]] const auto on_thread = derived().on_thread();
      const Work work = work_of(memory, worker);
      const Range mine = part_of(count, f_.team.threads, share);
      for (std::int64_t i = mine.end; i-- > mine.begin;) {
        const std::int64_t first = i * together;
        derived().project(memory.weights, memory.norm, work, first, std::min(together, positions - first), a);
      }
    });
  }

  std::size_t work_bytes_;
};

}  // namespace fovea::cpu::block
