// SPDX-License-Identifier: Apache-2.0
//
// A dense convolution is a product of the windows of x, laid out as rows of a matrix, with the filters. Pointwise ones need no
// laying out where x is kept as the product reads it; others go through the cache a few images at a time, and are rounded on the
// way where the product is of rounded numbers.
#include <type_traits>
#include <utility>

#include "backend/cuda/chunks.h"
#include "backend/cuda/kernels/channels.h"
#include "backend/cuda/setup.h"

namespace fovea::cuda {
namespace {

/// x (N,H,W,C), w (K,C,R,S), y (N,H',W',K); T is what products read.
template <class T>
struct Geometry {
  static constexpr Number kNumber = kNumberOf<T>;

  Plane plane;
  int filters;
  bool pointwise;   ///< rows of x are windows
  bool laid_out;    ///< the matrix of windows is made; else it is x
  bool dy_rounded;  ///< dy is made an operand; else it is one
  int width;        ///< of a window
  int stride;       ///< of a row of the matrix, and of the filters as rows
  int dy_stride;    ///< of a row of dy as an operand
  Chunks chunks{};

  /// `x_type` and `dy_type`: what they are kept as; of what an op does not read, T's own.
  Geometry(const graph::Window& window, const Shape& x, const Shape& y, Number x_type, Number dy_type)
      : plane(plane_of(window, x, y)),
        filters(static_cast<int>(y[3])),
        pointwise(plane.taps() == 1 && plane.stride == 1 && window.pad == graph::Window::Pad{}),
        laid_out(!pointwise || x_type != kNumber),
        dy_rounded(dy_type != kNumber),
        width(plane.taps() * plane.channels),
        stride(laid_out ? whole_row<T>(width) : width),
        dy_stride(dy_rounded ? whole_row<T>(filters) : filters) {}

  /// Chunks whose matrix, and as many floats at each position of y as it has filters, fit in the cache; or all images at once.
  void part(const Setup& setup, bool in_chunks) {
    const std::int64_t bytes = rows_of_image() * ((laid_out ? stride : 0) * std::int64_t{sizeof(T)} + filters * 4);
    chunks = Chunks::of(plane.images, static_cast<std::size_t>(bytes),
                        in_chunks || laid_out ? setup.machine->cache_bytes() : ~std::size_t{0});
  }

  [[nodiscard]] std::int64_t rows_of_image() const { return std::int64_t{plane.out_height} * plane.out_width; }
  [[nodiscard]] std::int64_t x_image() const { return std::int64_t{plane.height} * plane.width * plane.channels; }
  [[nodiscard]] std::int64_t y_image() const { return rows_of_image() * filters; }
  /// Elements of a chunk's matrix, of its dy as an operand, and of the filters as rows.
  [[nodiscard]] std::int64_t matrix() const { return laid_out ? rows_of_image() * chunks.images * stride : 0; }
  [[nodiscard]] std::int64_t dy_operand() const { return dy_rounded ? rows_of_image() * chunks.images * dy_stride : 0; }
  [[nodiscard]] std::int64_t filter_rows() const { return packs() ? std::int64_t{filters} * stride : 0; }
  [[nodiscard]] std::size_t packed_bytes() const { return static_cast<std::size_t>(filter_rows()) * sizeof(T); }
  [[nodiscard]] Plane of(int images) const {
    Plane part = plane;
    part.images = images;
    return part;
  }
  /// Whether the filters are made rows of T.
  [[nodiscard]] bool packs() const { return kRounds<T> || !pointwise; }
  [[nodiscard]] const void* filters_of(const Arguments& a) const { return packs() ? a.packed : a.inputs[1].data; }
  [[nodiscard]] auto packer() const {
    return [g = *this](Machine& machine, const Arguments& a) {
      if (!g.packs()) return;
      filters_to_rows(machine.stream(), a.inputs[1].f32(), reinterpret_cast<T*>(a.packed), g.filters, g.plane.channels,
                      g.plane.taps(), g.stride);
    };
  }

  /// The windows of `images` images of x from `first` on as a matrix, in `memory` if they must be laid out.
  const void* matrix_of(Machine& machine, const TensorView& x, int first, int images, T* memory) const {
    return with_operand(x, first * x_image(), laid_out ? memory : nullptr,
                        [&](const auto* from) { patches(machine.stream(), of(images), from, memory, stride); });
  }
  /// dy of them as an operand, in `memory` if it must be rounded.
  const void* dy_of(Machine& machine, const TensorView& dy, int first, int images, T* memory) const {
    return with_operand(dy, first * y_image(), dy_rounded ? memory : nullptr, [&](const auto* from) {
      if constexpr (std::is_same_v<decltype(from), const float*> && kRounds<T>)
        round_rows(machine.stream(), from, memory, images * rows_of_image(), filters, dy_stride, 0);
    });
  }

 private:
  /// `memory` after make(numbers at `offset`), or those numbers themselves where there is no memory.
  template <class Make>
  static const void* with_operand(const TensorView& view, std::int64_t offset, const T* memory, const Make& make) {
    return with_numbers(view, [&](const auto* numbers) -> const void* {
      using From = std::remove_cvref_t<decltype(*numbers)>;
      if (memory == nullptr) return numbers + offset;
      if constexpr (std::is_same_v<From, float> || std::is_same_v<From, T>) make(numbers + offset);
      return memory;
    });
  }
};

/// y = activation(the product + bias). Where y is kept rounded the product's sums stay in the cache until they are rounded, once.
template <class T>
KernelResult prepare(const Setup& setup, const graph::Conv2d& op) {
  const bool rounded = setup.output_type(0) != DType::kF32, bias = setup.inputs() == 3;
  using Sizes = Geometry<T>;
  Sizes g(op.window, setup.input(0), setup.output(0), number_of(setup.input_type(0)), Sizes::kNumber);
  g.part(setup, rounded || op.activation != Activation::kNone);
  FOVEA_ASSIGN(auto product, ChunkedProduct::prepare(setup.machine->products(), g.chunks,
                                                     {.m = g.rows_of_image(),
                                                      .n = g.filters,
                                                      .k = g.stride,
                                                      .b_transposed = true,
                                                      .a_stride = g.stride,
                                                      .b_stride = g.stride,
                                                      .c_stride = g.filters,
                                                      .operands = Sizes::kNumber,
                                                      .bias = bias && !rounded},
                                                     false));
  struct Scratch {
    T* matrix;
    float* sums;
    std::size_t bytes;
    Scratch(std::byte* memory, const Sizes& g, bool rounded) {
      Pieces pieces(memory);
      matrix = pieces.take<T>(g.matrix());
      sums = pieces.take<float>(rounded ? g.y_image() * g.chunks.images : 0);
      bytes = pieces.bytes();
    }
  };
  return make_kernel(
      setup, {.name = "conv2d", .packed_bytes = g.packed_bytes(), .scratch_bytes = Scratch(nullptr, g, rounded).bytes},
      [op, g, bias, rounded, product = std::move(product)](Machine& machine, const Arguments& a) {
        const Scratch memory(a.scratch, g, rounded);
        const float* b = bias ? a.inputs[2].f32() : nullptr;
        g.chunks.for_each([&](int first, int images) {
          const void* matrix = g.matrix_of(machine, a.inputs[0], first, images, memory.matrix);
          with_numbers(a.outputs[0], [&](auto* y) {
            y += first * g.y_image();
            void* sums = rounded ? static_cast<void*>(memory.sums) : y;
            product.of(images).run(machine.stream(), matrix, g.filters_of(a), rounded ? nullptr : b, nullptr, sums);
            if (rounded || op.activation != Activation::kNone)
              add_bias(machine.stream(), static_cast<const float*>(sums), rounded ? b : nullptr, y, images * g.rows_of_image(),
                       g.filters, op.activation);
          });
        });
      },
      g.packer());
}

template <class T>
KernelResult prepare(const Setup& setup, const graph::Conv2dBackwardInput& op) {
  using Sizes = Geometry<T>;
  Sizes g(op.window, op.input, setup.input(0), Sizes::kNumber, number_of(setup.input_type(0)));
  g.part(setup, g.dy_rounded);
  FOVEA_ASSIGN(auto product, ChunkedProduct::prepare(setup.machine->products(), g.chunks,
                                                     {.m = g.rows_of_image(),
                                                      .n = g.stride,
                                                      .k = g.filters,
                                                      .a_stride = g.dy_stride,
                                                      .b_stride = g.stride,
                                                      .c_stride = g.stride,
                                                      .operands = Sizes::kNumber,
                                                      .result = g.pointwise ? number_of(setup.output_type(0)) : Number::kF32},
                                                     false));
  struct Scratch {
    T* dy;
    float* matrix;
    std::size_t bytes;
    Scratch(std::byte* memory, const Sizes& g) {
      Pieces pieces(memory);
      dy = pieces.take<T>(g.dy_operand());
      matrix = pieces.take<float>(g.matrix());
      bytes = pieces.bytes();
    }
  };
  return make_kernel(
      setup, {.name = "conv2d_backward_input", .packed_bytes = g.packed_bytes(), .scratch_bytes = Scratch(nullptr, g).bytes},
      [g, product = std::move(product)](Machine& machine, const Arguments& a) {
        const Scratch memory(a.scratch, g);
        g.chunks.for_each([&](int first, int images) {
          const void* dy = g.dy_of(machine, a.inputs[0], first, images, memory.dy);
          with_numbers(a.outputs[0], [&](auto* dx) {
            dx += first * g.x_image();
            product.of(images).run(machine.stream(), dy, g.filters_of(a), nullptr, nullptr,
                                   g.pointwise ? static_cast<void*>(dx) : memory.matrix);
            if (!g.pointwise) patches_backward(machine.stream(), g.of(images), memory.matrix, g.stride, dx);
          });
        });
      },
      g.packer());
}

template <class T>
KernelResult prepare(const Setup& setup, const graph::Conv2dBackwardWeight& op) {
  using Sizes = Geometry<T>;
  Sizes g(op.window, setup.input(0), setup.input(1), number_of(setup.input_type(0)), number_of(setup.input_type(1)));
  g.part(setup, g.dy_rounded);
  const int columns = g.pointwise ? g.width : g.stride;
  FOVEA_ASSIGN(auto product, ChunkedProduct::prepare(setup.machine->products(), g.chunks,
                                                     {.m = g.filters,
                                                      .n = columns,
                                                      .k = g.rows_of_image(),
                                                      .a_transposed = true,
                                                      .a_stride = g.dy_stride,
                                                      .b_stride = g.stride,
                                                      .c_stride = columns,
                                                      .operands = Sizes::kNumber},
                                                     true));
  const SumsGrid rows = row_grid(g.plane.out_rows(), g.filters);
  struct Scratch {
    T *matrix, *dy;
    float *filter_rows, *partial;
    std::size_t bytes;
    Scratch(std::byte* memory, const Sizes& g, const SumsGrid& rows) {
      Pieces pieces(memory);
      matrix = pieces.take<T>(g.matrix());
      dy = pieces.take<T>(g.dy_operand());
      filter_rows = pieces.take<float>(g.pointwise ? 0 : g.filter_rows());
      partial = pieces.take<float>(partial_floats(rows, 1, g.filters));
      bytes = pieces.bytes();
    }
  };
  return make_kernel(setup, {.name = "conv2d_backward_weight", .scratch_bytes = Scratch(nullptr, g, rows).bytes},
                     [op, g, rows, product = std::move(product)](Machine& machine, const Arguments& a) {
                       const Stream stream = machine.stream();
                       const Scratch memory(a.scratch, g, rows);
                       float* dw = g.pointwise ? a.outputs[0].f32() : memory.filter_rows;
                       g.chunks.for_each([&](int first, int images) {
                         const void* matrix = g.matrix_of(machine, a.inputs[0], first, images, memory.matrix);
                         const void* dy = g.dy_of(machine, a.inputs[1], first, images, memory.dy);
                         product.of(images).run(stream, dy, matrix, nullptr, first == 0 ? nullptr : dw, dw);
                       });
                       if (!g.pointwise)
                         rows_to_filters(stream, dw, a.outputs[0].f32(), g.filters, g.plane.channels, g.plane.taps(), g.stride);
                       if (!op.bias) return;
                       with_numbers(a.inputs[1], [&](const auto* dy) { sum_rows(stream, dy, rows, memory.partial, false); });
                       fold(stream, memory.partial, rows.parts, g.filters, a.outputs[1].f32());
                     });
}

template <class Op>
KernelResult prepare_rounded(const Setup& setup, const Op& op) {
  return with_precision(op.precision, [&]<class T>(T) { return prepare<T>(setup, op); });
}

}  // namespace

KernelResult prepare_op(const Setup& setup, const graph::Conv2d& op) { return prepare_rounded(setup, op); }
KernelResult prepare_op(const Setup& setup, const graph::Conv2dBackwardInput& op) { return prepare_rounded(setup, op); }
KernelResult prepare_op(const Setup& setup, const graph::Conv2dBackwardWeight& op) { return prepare_rounded(setup, op); }

}  // namespace fovea::cuda
