// Fovea: what both passes of an inverted residual block share.
// SPDX-License-Identifier: Apache-2.0
//
// An inverted residual block, a few images at a time: so few that its wide activations, which exist only between its kernels, fit
// in half of the second-level cache. Backward computes them anew. T is what they are stored as. Where it is rounded, x and the
// weights are rounded into rows of their own, and the bias of the expansion travels in them as three more columns against ones in
// x, whose sum is exact to 24 bits: so the library needs no epilogue, and nothing is rounded that the op does not ask for.
#pragma once

#include <type_traits>

#include "backend/cuda/chunks.h"
#include "backend/cuda/setup.h"

namespace fovea::cuda {

using graph::InvertedResidual;

/// Of a row of `channels` values that a product reads.
template <class T>
int stride_of(int channels) {
  return kRounds<T> ? whole_row<T>(channels) : channels;
}

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

/// What both passes share: the sizes, the packed weights, and the way to the filtered activations.
template <class T>
struct BlockFrame {
  static constexpr Number kNumber = kNumberOf<T>;

  InvertedResidual op;
  Plane plane;  ///< of the depthwise convolution: E channels
  int in, inner, out;
  int x_stride, y_stride;
  Chunks chunks{};
  ChunkedProduct expand;

  BlockFrame(const Setup& setup, const InvertedResidual& block, const Shape& y)
      : op(block),
        plane(plane_of(block.window, setup.input(0), y)),
        in(plane.channels),
        inner(static_cast<int>(setup.input(block.expands ? 3 : 1)[0])),
        out(static_cast<int>(y[3])),
        x_stride(stride_of<T>(in + (block.expands && kRounds<T> ? 3 : 0))),
        y_stride(stride_of<T>(out)) {
    plane.channels = inner;
    if (!op.expands) x_stride = in;
  }

  [[nodiscard]] std::int64_t rows(int images) const { return std::int64_t{images} * plane.height * plane.width; }
  [[nodiscard]] std::int64_t out_rows(int images) const { return std::int64_t{images} * plane.out_height * plane.out_width; }
  [[nodiscard]] Plane of(int images) const {
    Plane part = plane;
    part.images = images;
    return part;
  }
  /// Chunks of images for each of which kernels hand `wide` bytes a position of x, and `filtered` a position of y, to each other.
  Result<void> prepare(const Setup& setup, std::size_t wide, std::size_t filtered) {
    const auto channels = static_cast<std::size_t>(inner);
    const std::size_t bytes =
        (static_cast<std::size_t>(rows(1)) * (op.expands ? wide : 0) + static_cast<std::size_t>(out_rows(1)) * filtered) *
        channels;
    chunks = Chunks::of(plane.images, bytes, setup.machine->cache_bytes());
    if (!op.expands) return {};
    FOVEA_ASSIGN(expand, ChunkedProduct::prepare(setup.machine->products(), chunks,
                                                 {.m = rows(1),
                                                  .n = inner,
                                                  .k = x_stride,
                                                  .b_transposed = true,
                                                  .a_stride = x_stride,
                                                  .b_stride = x_stride,
                                                  .c_stride = inner,
                                                  .operands = kNumber,
                                                  .result = kNumber,
                                                  .bias = !kRounds<T>},
                                                 false));
    return {};
  }

  struct Packed {
    float* wd;  ///< (taps, E)
    T* we;      ///< (E, x_stride), only where rounded
    T* wp;      ///< (K, E), only where rounded
    std::size_t bytes;
  };
  [[nodiscard]] Packed packed(std::byte* memory) const {
    Pieces pieces(memory);
    Packed made{};
    made.wd = pieces.take<float>(std::int64_t{plane.taps()} * inner);
    if (kRounds<T>) {
      if (op.expands) made.we = pieces.take<T>(std::int64_t{inner} * x_stride);
      made.wp = pieces.take<T>(std::int64_t{out} * inner);
    }
    made.bytes = pieces.bytes();
    return made;
  }
  void pack(Machine& machine, const Arguments& a) const {
    const BlockOperands in_order(a, op.expands);
    const Packed p = packed(a.packed);
    transpose(machine.stream(), in_order.wd, p.wd, inner, plane.taps());
    if constexpr (kRounds<T>) {
      if (op.expands) round_weights(machine.stream(), in_order.we, in_order.be, p.we, inner, in, x_stride);
      round_weights<T>(machine.stream(), in_order.wp, nullptr, p.wp, out, inner, inner);
    }
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
  /// x as an operand of products.
  [[nodiscard]] const T* operand(const Inside& memory, const float* x) const {
    if constexpr (kRounds<T>)
      return memory.x;
    else
      return x;
  }
  /// What the depthwise convolution reads, and through which activation.
  [[nodiscard]] const T* wide(const Inside& memory, const float* x) const {
    return op.expands ? memory.expanded : operand(memory, x);
  }
  [[nodiscard]] Activation before() const { return op.expands ? op.activation : Activation::kNone; }
  [[nodiscard]] const T* we(const Packed& p, const BlockOperands& o) const {
    if constexpr (kRounds<T>)
      return p.we;
    else
      return o.we;
  }
  [[nodiscard]] const T* wp(const Packed& p, const BlockOperands& o) const {
    if constexpr (kRounds<T>)
      return p.wp;
    else
      return o.wp;
  }

  /// From `images` images at x to the filtered activations.
  void fill(Machine& machine, const BlockOperands& o, const Packed& p, const Inside& memory, const float* x, int images) const {
    const Stream stream = machine.stream();
    if constexpr (kRounds<T>) round_rows(stream, x, memory.x, rows(images), in, x_stride, op.expands ? 3 : 0);
    if (op.expands) {
      expand.of(images).run(stream, operand(memory, x), we(p, o), kRounds<T> ? nullptr : o.be, nullptr, memory.expanded);
    }
    depthwise(stream, of(images), wide(memory, x), before(), static_cast<const float*>(p.wd), o.bd, op.activation,
              memory.filtered);
  }
};

}  // namespace fovea::cuda
