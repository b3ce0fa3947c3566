// Fovea: the two passes over an inverted residual block, band after band, whatever its numbers are stored as.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "backend/cpu/block/geometry.h"
#include "backend/cpu/kernels/column_sums.h"
#include "backend/cpu/kernels/elementwise.h"
#include "backend/cpu/part_sums.h"
#include "backend/function_kernel.h"

namespace fovea::cpu::block {

/// Base of `Derived`, which computes bands:
///   static constexpr Spacing kSpacing                                  of rows in rings
///   static std::int64_t bytes_of_row(const Geometry&, bool backward)   wide activations that belong to a row of y
///   on_thread() const                                                  what it gives lives while a thread computes
///   void begin(const Work&) const                                      a thread's memory, made ready
///   foresee(work, band, next, arguments) const                         told before each band what the next one will read
///   filter, project, through_project, through_depthwise, through_expand, unpack
/// `Weights` (packed), `Sums` (what a part adds up) and `Work` (of a thread) lay out memory that they are given.
template <class Derived, class Weights, class Sums, class Work>
class Passes {
 public:
  [[nodiscard]] std::size_t packed_bytes() const { return Weights(g_, backward_, nullptr).bytes; }
  [[nodiscard]] std::size_t scratch_bytes() const {
    return static_cast<std::size_t>(threads()) * work_bytes_ + static_cast<std::size_t>(count() * sums_) * sizeof(float);
  }
  void pack(const Arguments& a) const { Weights(g_, backward_, a.packed).pack(g_, context_, a.inputs); }

  void forward(const Arguments& a) const {
    const Weights weights(g_, false, a.packed);
    for_parts(a, [&](const Work& work, std::int64_t /*part*/, Range range) {
      for_bands_and_next(g_, range, rows_, [&](const Band& band, const Band& next) {
        derived().foresee(work, band, next, a);
        derived().filter(weights, work, band, a);
        derived().project(weights, work, band, a);
      });
    });
  }

  void backward(const Arguments& a, graph::Activation input_activation) const {
    const Weights weights(g_, true, a.packed);
    float* const sums = reinterpret_cast<float*>(a.scratch + static_cast<std::size_t>(threads()) * work_bytes_);
    for_parts(a, [&](const Work& work, std::int64_t part, Range range) {
      const Sums mine(g_, sums + part * sums_);
      std::fill_n(sums + part * sums_, sums_, 0.0F);
      for_bands_and_next(g_, range, rows_, [&](const Band& band, const Band& next) {
        derived().foresee(work, band, next, a);
        derived().filter(weights, work, band, a);
        derived().through_project(weights, work, band, a.inputs.back(), mine);
        derived().through_depthwise(weights, work, band, mine);
        derived().through_expand(weights, work, band, a, input_activation, mine);
      });
    });
    add_up_parts(context_, sum_parts_, sums, count(), sums_);
    derived().unpack(Sums(g_, sums), a.outputs);
  }

 protected:
  Passes(const Setup& setup, const graph::InvertedResidual& op, bool backward, bool by_channels = false)
      : context_(setup.context),
        g_(setup, op),
        backward_(backward),
        by_channels_(by_channels),
        parts_(backward || op.keeps_expanded ? g_.parts_with_sums() : g_.parts_for(by_channels_ ? 1 : setup.context.threads)),
        rows_(by_channels_ ? g_.out_height : band_rows(parts_, Derived::bytes_of_row(g_, backward))),
        rings_(g_, parts_, rows_, Derived::kSpacing),
        sum_rows_(sum_rows(setup.target)),
        sum_parts_(elementwise(setup.target).sum_parts),
        work_bytes_(Work(g_, rings_, rows_, backward, nullptr).bytes),
        sums_(backward ? Sums(g_, nullptr).floats : 0) {}

  Context context_;
  Geometry g_;
  bool backward_;
  bool by_channels_;  ///< one part, one band, whose channels are dealt out
  std::vector<Range> parts_;
  std::int64_t rows_;  ///< of y in a band
  Rings rings_;
  SumRowsKernel* sum_rows_;

 private:
  [[nodiscard]] const Derived& derived() const { return static_cast<const Derived&>(*this); }
  [[nodiscard]] std::int64_t count() const { return static_cast<std::int64_t>(parts_.size()); }
  [[nodiscard]] std::int64_t threads() const { return std::min<std::int64_t>(context_.threads, count()); }

  /// body(work, part, rows of y) for each part; a thread's parts share its memory, and who is late leaves some to others.
  template <class Body>
  void for_parts(const Arguments& a, const Body& body) const {
    std::array<bool, LoopTeam::kMaxThreads> begun{};  // each touched by its thread alone
    parallel_for(context_, count(), [&](std::int64_t part, int thread) {
      [[maybe_unused]] const auto on_thread = derived().on_thread();
      const Work work(g_, rings_, rows_, backward_, a.scratch + static_cast<std::size_t>(thread) * work_bytes_);
      if (!std::exchange(begun[static_cast<std::size_t>(thread)], true)) derived().begin(work);
      body(work, part, parts_[static_cast<std::size_t>(part)]);
    });
  }

  SumPartsKernel* sum_parts_;
  std::size_t work_bytes_;  ///< of a thread
  std::int64_t sums_;       ///< floats of a part
};

/// Kernels of a `Block` that is derived from Passes.
template <class Block>
std::unique_ptr<Kernel> make_forward(std::string name, const std::shared_ptr<const Block>& block) {
  return make_kernel(
      {std::move(name), block->packed_bytes(), block->scratch_bytes(), std::nullopt, true},
      [block](const Arguments& a) { block->forward(a); }, [block](const Arguments& a) { block->pack(a); });
}
template <class Block>
KernelResult make_backward(std::string name, const Setup& setup, const graph::InvertedResidualBackward& op) {
  const auto block = std::make_shared<const Block>(setup, op.forward, true);
  return make_kernel(
      {std::move(name), block->packed_bytes(), block->scratch_bytes(), std::nullopt},
      [block, activation = op.input_activation](const Arguments& a) { block->backward(a, activation); },
      [block](const Arguments& a) { block->pack(a); });
}

}  // namespace fovea::cpu::block
