// Fovea: the backward pass of a block with the batch's own statistics, whatever its numbers are stored as (live.h).
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>

#include "backend/cpu/block/live_frame.h"
#include "backend/cpu/kernels/elementwise.h"
#include "backend/cpu/part_sums.h"
#include "core/parallel.h"

namespace fovea::cpu::block {

/// What `Derived` computes with, for a part: packed weights, both normalisations, a thread's memory, what the part adds up, and
/// what Derived keeps besides.
template <class Kind>
struct LivePart {
  const typename Kind::Weights& weights;
  const LiveExpansion& expansion;
  const LiveNorm& norm;
  const NormGradient& taken;
  const typename Kind::Work& work;
  typename Kind::Sums sums;
  ChannelSums total;  ///< in floats while a band is computed
  const typename Kind::More& more;
};

/// Base of `Derived`, which computes bands:
///   static std::int64_t bytes_of_row(const Geometry&)            wide activations that belong to a row of y
///   on_thread()                                                  what it gives lives while a thread computes
///   begin(Work), pack(Weights, Arguments, LiveExpansion)         a thread's memory, and weights, made ready
///   through_project(LivePart, first, count, Arguments)           positions of y: sums of dwp, and of g, the gradient before
///                                                                the second activation, and g (v - mean)
///   through_block(LivePart, part, Band, Arguments)               from there as far as there are no sums to wait for
///   finish(Memory, Arguments)                                    the rest
/// `Kind` has Weights, Sums, Work and More(frame, pieces), which lay out memory that they are given.
template <class Derived, class Kind>
class LiveBackward {
 public:
  using Weights = typename Kind::Weights;
  using Work = typename Kind::Work;
  using Sums = typename Kind::Sums;
  using Part = LivePart<Kind>;

  [[nodiscard]] std::size_t scratch_bytes() const { return Memory(*this, nullptr).bytes; }

  void run(const Arguments& a) const {
    const Memory memory(*this, a.scratch);
    if (f_.op.expands) f_.find_expansion(a, memory.expansion, memory.expanded_mean, memory.expanded_var);
    derived().pack(memory.weights, a, memory.expansion);
    memory.norm.set(f_.g.inner, a.inputs[wd_ + 1].f32(), a.inputs[wd_ + 2].f32(), a.inputs[md_].f32(), a.inputs[md_ + 1].f32(),
                    f_.op.eps);
    parallel_for(f_.team, f_.team.threads, [&](std::int64_t worker) { derived().begin(work_of(memory, worker)); });
    for_parts(memory, [&](std::int64_t index, const Part& part) {
      std::fill_n(memory.sums + index * sums_, sums_, 0.0F);
      for_positions(index, [&](std::int64_t first, std::int64_t count) {
        part.total.begin_band();
        derived().through_project(part, first, count, a);
        part.total.end_band(f_.norms);
      });
    });
    memory.taken.set(f_.g.inner, memory.totals, f_.positions(), memory.norm.inverse, a.outputs[wd_ + 1].f32(),
                     a.outputs[wd_ + 2].f32());
    for_parts(memory, [&](std::int64_t index, const Part& part) {
      for_bands(f_.g, f_.parts[static_cast<std::size_t>(index)], f_.rows, [&](const Band& band) {
        part.total.begin_band();
        derived().through_block(part, index, band, a);
        part.total.end_band(f_.norms);
      });
    });
    derived().finish(memory, a);
  }

 protected:
  LiveBackward(const Setup& setup, const graph::InvertedResidualTrain& op)
      : f_(setup, op, Derived::bytes_of_row),
        wd_(depthwise_weight(op)),
        md_(depthwise_mean(op)),
        sum_parts_(elementwise(setup.target).sum_parts),
        sums_(Sums(f_.g, nullptr).floats),
        work_bytes_(Work(f_.g, f_.rings, f_.rows, true, nullptr).bytes) {}

  struct Memory {
    Memory(const LiveBackward& of, std::byte* memory)
        : pieces(memory),
          weights(take_weights<Weights>(of.f_.g, true, pieces)),
          expansion(of.f_.g, of.f_.moments, pieces),
          norm(of.f_.g.inner, pieces),
          taken(of.f_.g.inner, pieces),
          expanded_mean(pieces.take<float>(of.f_.g.inner)),
          expanded_var(pieces.take<float>(of.f_.g.inner)),
          totals(of.f_.parts.size(), padded(of.f_.g.inner), pieces),
          sums(pieces.take<float>(static_cast<std::int64_t>(of.f_.parts.size()) * of.sums_)),
          works(pieces.take<std::byte>(of.f_.team.threads * static_cast<std::int64_t>(of.work_bytes_))),
          more(of.f_, pieces),
          bytes(pieces.bytes()) {}

    Pieces pieces;
    Weights weights;
    LiveExpansion expansion;
    LiveNorm norm;
    NormGradient taken;  ///< by the second normalisation
    float* expanded_mean;
    float* expanded_var;
    PartSums totals;
    float* sums;
    std::byte* works;
    typename Kind::More more;
    std::size_t bytes;
  };

  /// body(part's number, part) for all parts, whose totals begin at zero.
  template <class Body>
  void for_parts(const Memory& memory, const Body& body) const {
    parallel_for(f_.team, static_cast<std::int64_t>(f_.parts.size()), [&](std::int64_t index, int worker) {
      [[maybe_unused]] const auto on_thread = derived().on_thread();
      const Work work = work_of(memory, worker);
      const Part part{memory.weights,
                      memory.expansion,
                      memory.norm,
                      memory.taken,
                      work,
                      Sums(f_.g, memory.sums + index * sums_),
                      memory.totals.of(static_cast<std::size_t>(index)),
                      memory.more};
      part.total.begin();
      body(index, part);
    });
  }

  /// All parts' sums.
  [[nodiscard]] Sums add_up(const Memory& memory) const {
    add_up_parts(f_.context, sum_parts_, memory.sums, static_cast<std::int64_t>(f_.parts.size()), sums_);
    return {f_.g, memory.sums};
  }

  LiveFrame f_;
  std::size_t wd_;  ///< which input is wd, and which output its gradient
  std::size_t md_;  ///< which input is md

 private:
  [[nodiscard]] const Derived& derived() const { return static_cast<const Derived&>(*this); }
  [[nodiscard]] Work work_of(const Memory& memory, std::int64_t worker) const {
    return {f_.g, f_.rings, f_.rows, true, memory.works + static_cast<std::size_t>(worker) * work_bytes_};
  }

  /// body(first, count) for a part's positions of y, as many at once as a band has.
  template <class Body>
  void for_positions(std::int64_t part, const Body& body) const {
    const Range rows = f_.parts[static_cast<std::size_t>(part)];
    const std::int64_t together = f_.rows * f_.g.out_width, end = rows.end * f_.g.out_width;
    for (std::int64_t first = rows.begin * f_.g.out_width; first < end; first += together)
      body(first, std::min(together, end - first));
  }

  SumPartsKernel* sum_parts_;
  std::int64_t sums_;  ///< floats of a part
  std::size_t work_bytes_;
};

}  // namespace fovea::cpu::block
