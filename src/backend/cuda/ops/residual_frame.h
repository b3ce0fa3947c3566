// Fovea: what the kernels of inverted residual blocks share, whichever statistics they normalise by.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "backend/cuda/chunks.h"
#include "backend/cuda/setup.h"

namespace fovea::cuda {

/// Sizes, packed weights and products, a few images at a time. T is what products read; where it is rounded, x, dy and the
/// weights are rounded into rows of their own.
template <class T>
struct ResidualFrame {
  static constexpr Number kNumber = kNumberOf<T>;

  Plane plane;  ///< of the depthwise convolution: E channels
  bool expands;
  int in, inner, out;
  int x_stride, y_stride;  ///< of rows that a product reads
  Chunks chunks{};
  ChunkedProduct expand;

  /// `more`: columns of x's rows behind its channels, where x is expanded.
  template <class Op>
  ResidualFrame(const Setup& setup, const Op& op, int more, const Shape& y)
      : plane(plane_of(op.window, setup.input(0), y)),
        expands(op.expands),
        in(plane.channels),
        inner(static_cast<int>(setup.input(depthwise_weight(op))[0])),
        out(static_cast<int>(y[3])),
        x_stride(expands ? stride_of(in + more) : in),
        y_stride(stride_of(out)) {
    plane.channels = inner;
  }

  /// Of a row of `channels` values that a product reads.
  [[nodiscard]] static int stride_of(int channels) { return kRounds<T> ? whole_row<T>(channels) : channels; }
  [[nodiscard]] std::int64_t rows(int images) const { return std::int64_t{images} * plane.height * plane.width; }
  [[nodiscard]] std::int64_t out_rows(int images) const { return std::int64_t{images} * plane.out_height * plane.out_width; }
  [[nodiscard]] Plane of(int images) const {
    Plane part = plane;
    part.images = images;
    return part;
  }
  [[nodiscard]] static SumsGrid with_items(SumsGrid grid, std::int64_t items) {
    grid.items = static_cast<int>(items);
    return grid;
  }

  /// Chunks of images for each of which kernels hand `wide` bytes a position of x, and `filtered` a position of y, to each other;
  /// and the expansion, which gives `result`.
  Result<void> prepare(const Setup& setup, std::size_t wide, std::size_t filtered, Number result, bool bias) {
    const std::int64_t bytes =
        rows(1) * static_cast<std::int64_t>(expands ? wide : 0) + out_rows(1) * static_cast<std::int64_t>(filtered);
    chunks = Chunks::of(plane.images, static_cast<std::size_t>(bytes * inner), setup.machine->cache_bytes());
    if (!expands) return {};
    FOVEA_ASSIGN(expand, ChunkedProduct::prepare(setup.machine->products(), chunks,
                                                 {.m = rows(1),
                                                  .n = inner,
                                                  .k = x_stride,
                                                  .b_transposed = true,
                                                  .a_stride = x_stride,
                                                  .b_stride = x_stride,
                                                  .c_stride = inner,
                                                  .operands = kNumber,
                                                  .result = result,
                                                  .bias = bias},
                                                 false));
    return {};
  }

  struct Packed {
    float* wd;  ///< (taps, E), rounded to T
    T* we;      ///< (E, x_stride), only where rounded
    T* wp;      ///< (K, E), only where rounded
    std::size_t bytes;
  };
  [[nodiscard]] Packed packed(std::byte* memory) const {
    Pieces pieces(memory);
    Packed made{};
    made.wd = pieces.take<float>(std::int64_t{plane.taps()} * inner);
    made.we = pieces.take<T>(kRounds<T> && expands ? std::int64_t{inner} * x_stride : 0);
    made.wp = pieces.take<T>(kRounds<T> ? std::int64_t{out} * inner : 0);
    made.bytes = pieces.bytes();
    return made;
  }
  /// `be` joins the rows of we where it is not null.
  void pack(Stream stream, const float* we, const float* be, const float* wd, const float* wp, const Packed& to) const {
    transpose<T>(stream, wd, to.wd, inner, plane.taps());
    if constexpr (kRounds<T>) {
      if (expands) round_weights<T>(stream, we, be, to.we, inner, in, x_stride);
      round_weights<T>(stream, wp, nullptr, to.wp, out, inner, inner);
    }
  }

  /// The weights of a product as it reads them.
  [[nodiscard]] static const T* operand(const float* weights, const T* rounded) {
    if constexpr (kRounds<T>)
      return rounded;
    else
      return weights;
  }
  /// And rows of `channels` values: themselves, or rounded into rows of `stride`, with `ones` columns of ones behind.
  static const T* operand(Stream stream, const float* x, T* rounded, std::int64_t rows, int channels, int stride, int ones) {
    if constexpr (kRounds<T>) round_rows(stream, x, rounded, rows, channels, stride, ones);
    return operand(x, rounded);
  }
};

/// filtered wp'.
template <class T>
Result<ChunkedProduct> prepare_projection(const Setup& setup, const ResidualFrame<T>& f, bool bias) {
  return ChunkedProduct::prepare(setup.machine->products(), f.chunks,
                                 {.m = f.out_rows(1),
                                  .n = f.out,
                                  .k = f.inner,
                                  .b_transposed = true,
                                  .a_stride = f.inner,
                                  .b_stride = f.inner,
                                  .c_stride = f.out,
                                  .operands = f.kNumber,
                                  .bias = bias},
                                 false);
}

/// The kernel of a pass: `Pass` has its frame `f`, the memory that it shares out, and what it does on a machine:
///   T (what products read), kName, scratch_bytes(), run(Machine&, const Arguments&)
template <class Pass>
KernelResult make_block(const Setup& setup, Pass made) {
  const auto pass = std::make_shared<const Pass>(std::move(made));
  return make_kernel(
      setup,
      {std::string(Pass::kName) + suffix_of<typename Pass::Number>(), pass->f.packed(nullptr).bytes, pass->scratch_bytes(), {}},
      [pass](Machine& machine, const Arguments& a) { pass->run(machine, a); },
      [pass](Machine& machine, const Arguments& a) { pass->f.pack(machine, a); });
}

/// The products of a backward pass beside those of the frame; dz is the gradient of what the expansion gives.
struct BackwardProducts {
  ChunkedProduct dwp;       ///< dy' filtered
  ChunkedProduct filtered;  ///< dy wp
  ChunkedProduct dwe;       ///< dz' x
  ChunkedProduct dx;        ///< dz we
};

template <class T>
Result<BackwardProducts> prepare_products(const Setup& setup, const ResidualFrame<T>& f) {
  const auto product = [&](ProductShape shape, bool over_rows) {
    shape.operands = f.kNumber;
    return ChunkedProduct::prepare(setup.machine->products(), f.chunks, shape, over_rows);
  };
  // c (m,n) += a' b over the rows of a chunk; and a chunk's rows of c = a b.
  const auto gradient = [&](int m, int n, std::int64_t rows, int a_stride, int b_stride) {
    return product({.m = m, .n = n, .k = rows, .a_transposed = true, .a_stride = a_stride, .b_stride = b_stride, .c_stride = n},
                   true);
  };
  const auto back = [&](std::int64_t rows, int n, int k, int a_stride, int b_stride) {
    return product({.m = rows, .n = n, .k = k, .a_stride = a_stride, .b_stride = b_stride, .c_stride = n}, false);
  };
  BackwardProducts made;
  FOVEA_ASSIGN(made.dwp, gradient(f.out, f.inner, f.out_rows(1), f.y_stride, f.inner));
  FOVEA_ASSIGN(made.filtered, back(f.out_rows(1), f.inner, f.out, f.y_stride, f.inner));
  if (!f.expands) return made;
  FOVEA_ASSIGN(made.dwe, gradient(f.inner, f.in, f.rows(1), f.inner, f.x_stride));
  FOVEA_ASSIGN(made.dx, back(f.rows(1), f.in, f.inner, f.inner, f.x_stride));
  return made;
}

}  // namespace fovea::cuda
