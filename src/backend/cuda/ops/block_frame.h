// Fovea: what both passes of an inverted residual block share.
// SPDX-License-Identifier: Apache-2.0
//
// An inverted residual block, a few images at a time: so few that its wide activations, which exist only between its kernels, fit
// in half of the second-level cache. Backward computes them anew. T is what they are stored as. Where it is rounded, x and the
// weights are rounded into rows of their own, and the bias of the expansion travels in them as three more columns against ones in
// x, whose sum is exact to 24 bits (in fp16 to 2^-25, half a step of its smallest numbers): so the library needs no epilogue, and
// nothing is rounded that the op does not ask for.
#pragma once

#include "backend/cuda/ops/residual_frame.h"

namespace fovea::cuda {

using graph::InvertedResidual;

/// The inputs of either pass by name.
struct BlockOperands {
  const float *x, *we, *be, *wd, *bd, *wp, *last;
  BlockOperands(const Arguments& a, bool expands)
      : x(a.inputs[0].f32()),
        we(expands ? a.inputs[1].f32() : nullptr),
        be(expands ? a.inputs[2].f32() : nullptr),
        wd(a.inputs[expands ? 3 : 1].f32()),
        bd(a.inputs[expands ? 4 : 2].f32()),
        wp(a.inputs[expands ? 5 : 3].f32()),
        last(a.inputs[expands ? 6 : 4].f32()) {}  // bp or dy
};

/// What both passes share: the way to the filtered activations.
template <class T>
struct BlockFrame : ResidualFrame<T> {
  using Base = ResidualFrame<T>;
  using Base::chunks, Base::expand, Base::in, Base::inner, Base::of, Base::operand, Base::out_rows, Base::rows, Base::x_stride;
  using typename Base::Packed;

  /// Columns that bring the bias of the expansion.
  static constexpr int kOnes = kRounds<T> ? 3 : 0;

  InvertedResidual op;

  BlockFrame(const Setup& setup, const InvertedResidual& block, const Shape& y) : Base(setup, block, kOnes, y), op(block) {}

  Result<void> prepare(const Setup& setup, std::size_t wide, std::size_t filtered) {
    return Base::prepare(setup, wide, filtered, Base::kNumber, !kRounds<T>);
  }
  void pack(Machine& machine, const Arguments& a) const {
    const BlockOperands o(a, op.expands);
    Base::pack(machine.stream(), o.we, o.be, o.wd, o.wp, Base::packed(a.packed));
  }

  /// Between the block's ends, for a chunk.
  struct Inside {
    T* x;         ///< (rows, x_stride), only where rounded
    T* expanded;  ///< (rows, E), before the activation; only where x is expanded
    T* filtered;  ///< (out rows, E), after it
  };
  [[nodiscard]] Inside inside(Pieces& pieces) const {
    Inside made{};
    if (kRounds<T>) made.x = pieces.take<T>(rows(chunks.images) * x_stride);
    if (op.expands) made.expanded = pieces.take<T>(rows(chunks.images) * inner);
    made.filtered = pieces.take<T>(out_rows(chunks.images) * inner);
    return made;
  }
  /// What the depthwise convolution reads, and through which activation.
  [[nodiscard]] const T* wide(const Inside& memory, const float* x) const {
    return op.expands ? memory.expanded : operand(x, memory.x);
  }
  [[nodiscard]] Activation before() const { return op.expands ? op.activation : Activation::kNone; }
  /// From `images` images at x to the filtered activations.
  void fill(Machine& machine, const BlockOperands& o, const Packed& p, const Inside& memory, const float* x, int images) const {
    const Stream stream = machine.stream();
    const T* rows_of_x = operand(stream, x, memory.x, rows(images), in, x_stride, op.expands ? kOnes : 0);
    if (op.expands) {
      expand.of(images).run(stream, rows_of_x, operand(o.we, p.we), kRounds<T> ? nullptr : o.be, nullptr, memory.expanded);
    }
    depthwise(stream, of(images), wide(memory, x), before(), static_cast<const float*>(p.wd), o.bd, op.activation,
              memory.filtered);
  }
};

}  // namespace fovea::cuda
