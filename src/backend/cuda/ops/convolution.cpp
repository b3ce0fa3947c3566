// SPDX-License-Identifier: Apache-2.0
//
// A dense convolution is a product of the windows of x, laid out as rows of a matrix, with the filters. Pointwise ones need no
// laying out; others go through the cache a few images at a time.
#include <utility>

#include "backend/cuda/chunks.h"
#include "backend/cuda/kernels/channels.h"
#include "backend/cuda/setup.h"

namespace fovea::cuda {
namespace {

/// x (N,H,W,C), w (K,C,R,S), y (N,H',W',K).
struct Geometry {
  Plane plane;
  int filters;
  bool pointwise;  ///< rows of x are rows of the matrix
  int stride;      ///< of a row of the matrix
  Chunks chunks{};

  Geometry(const Setup& setup, const graph::Window& window, const Shape& x, const Shape& y, bool in_chunks)
      : plane(plane_of(window, x, y)),
        filters(static_cast<int>(y[3])),
        pointwise(plane.taps() == 1 && plane.stride == 1 && window.pad == graph::Window::Pad{}),
        stride(pointwise ? plane.channels : (plane.taps() * plane.channels + 3) / 4 * 4) {
    const std::int64_t floats = rows_of_image() * ((pointwise ? 0 : stride) + filters);
    chunks = Chunks::of(plane.images, static_cast<std::size_t>(floats) * sizeof(float),
                        in_chunks || !pointwise ? setup.machine->cache_bytes() : ~std::size_t{0});
  }

  [[nodiscard]] std::int64_t rows_of_image() const { return std::int64_t{plane.out_height} * plane.out_width; }
  [[nodiscard]] std::int64_t x_image() const { return std::int64_t{plane.height} * plane.width * plane.channels; }
  [[nodiscard]] std::int64_t y_image() const { return rows_of_image() * filters; }
  /// Of the matrix of a chunk, in floats.
  [[nodiscard]] std::int64_t matrix() const { return pointwise ? 0 : rows_of_image() * chunks.images * stride; }
  [[nodiscard]] std::int64_t filter_rows() const { return pointwise ? 0 : std::int64_t{filters} * stride; }
  [[nodiscard]] Plane of(int images) const {
    Plane part = plane;
    part.images = images;
    return part;
  }
  /// The filters as rows: as they are, or as pack() has left them.
  [[nodiscard]] const float* filters_of(const Arguments& a) const {
    return pointwise ? a.inputs[1].f32() : reinterpret_cast<const float*>(a.packed);
  }
  void pack(Machine& machine, const Arguments& a) const {
    if (pointwise) return;
    filters_to_rows(machine.stream(), a.inputs[1].f32(), reinterpret_cast<float*>(a.packed), filters, plane.channels,
                    plane.taps(), stride);
  }
  /// The windows of `images` images at x as a matrix, in `memory` if they must be laid out.
  const float* matrix_of(Machine& machine, const float* x, int images, float* memory) const {
    if (pointwise) return x;
    patches(machine.stream(), of(images), x, memory, stride);
    return memory;
  }
};

std::size_t bytes_of_floats(std::int64_t count) { return static_cast<std::size_t>(count) * sizeof(float); }

auto packer(const Geometry& g) {
  return [g](Machine& machine, const Arguments& a) { g.pack(machine, a); };
}

}  // namespace

KernelResult prepare_op(const Setup& setup, const graph::Conv2d& op) {
  const Geometry g(setup, op.window, setup.input(0), setup.output(0), op.activation != Activation::kNone);
  const bool bias = setup.inputs() == 3;
  FOVEA_ASSIGN(auto product, ChunkedProduct::prepare(setup.machine->products(), g.chunks,
                                                     {.m = g.rows_of_image(),
                                                      .n = g.filters,
                                                      .k = g.stride,
                                                      .b_transposed = true,
                                                      .a_stride = g.stride,
                                                      .b_stride = g.stride,
                                                      .c_stride = g.filters,
                                                      .bias = bias},
                                                     false));
  return make_kernel(
      setup, {.name = "conv2d", .packed_bytes = bytes_of_floats(g.filter_rows()), .scratch_bytes = bytes_of_floats(g.matrix())},
      [op, g, bias, product = std::move(product)](Machine& machine, const Arguments& a) {
        g.chunks.for_each([&](int first, int images) {
          const float* x = a.inputs[0].f32() + first * g.x_image();
          float* y = a.outputs[0].f32() + first * g.y_image();
          const float* matrix = g.matrix_of(machine, x, images, reinterpret_cast<float*>(a.scratch));
          product.of(images).run(machine.stream(), matrix, g.filters_of(a), bias ? a.inputs[2].f32() : nullptr, nullptr, y);
          if (op.activation == Activation::kNone) return;
          apply_activation(machine.stream(), y, y, images * g.y_image(), op.activation);
        });
      },
      packer(g));
}

KernelResult prepare_op(const Setup& setup, const graph::Conv2dBackwardInput& op) {
  const Geometry g(setup, op.window, op.input, setup.input(0), false);
  FOVEA_ASSIGN(auto product, ChunkedProduct::prepare(setup.machine->products(), g.chunks,
                                                     {.m = g.rows_of_image(),
                                                      .n = g.stride,
                                                      .k = g.filters,
                                                      .a_stride = g.filters,
                                                      .b_stride = g.stride,
                                                      .c_stride = g.stride},
                                                     false));
  return make_kernel(
      setup,
      {.name = "conv2d_backward_input",
       .packed_bytes = bytes_of_floats(g.filter_rows()),
       .scratch_bytes = bytes_of_floats(g.matrix())},
      [g, product = std::move(product)](Machine& machine, const Arguments& a) {
        g.chunks.for_each([&](int first, int images) {
          const float* dy = a.inputs[0].f32() + first * g.y_image();
          float* dx = a.outputs[0].f32() + first * g.x_image();
          float* matrix = g.pointwise ? dx : reinterpret_cast<float*>(a.scratch);
          product.of(images).run(machine.stream(), dy, g.filters_of(a), nullptr, nullptr, matrix);
          if (!g.pointwise) patches_backward(machine.stream(), g.of(images), matrix, g.stride, dx);
        });
      },
      packer(g));
}

KernelResult prepare_op(const Setup& setup, const graph::Conv2dBackwardWeight& op) {
  const Geometry g(setup, op.window, setup.input(0), setup.input(1), false);
  FOVEA_ASSIGN(auto product, ChunkedProduct::prepare(setup.machine->products(), g.chunks,
                                                     {.m = g.filters,
                                                      .n = g.stride,
                                                      .k = g.rows_of_image(),
                                                      .a_transposed = true,
                                                      .a_stride = g.filters,
                                                      .b_stride = g.stride,
                                                      .c_stride = g.stride},
                                                     true));
  const SumsGrid rows = row_grid(g.plane.out_rows(), g.filters);
  struct Scratch {
    float *matrix, *filter_rows, *partial;
    std::size_t bytes;
    Scratch(std::byte* memory, const Geometry& g, const SumsGrid& rows) {
      Pieces pieces(memory);
      matrix = pieces.take<float>(g.matrix());
      filter_rows = pieces.take<float>(g.filter_rows());
      partial = pieces.take<float>(partial_floats(rows, 1, g.filters));
      bytes = pieces.bytes();
    }
  };
  return make_kernel(
      setup, {.name = "conv2d_backward_weight", .scratch_bytes = Scratch(nullptr, g, rows).bytes},
      [op, g, rows, product = std::move(product)](Machine& machine, const Arguments& a) {
        const Scratch memory(a.scratch, g, rows);
        float* dw = g.pointwise ? a.outputs[0].f32() : memory.filter_rows;
        g.chunks.for_each([&](int first, int images) {
          const float* matrix = g.matrix_of(machine, a.inputs[0].f32() + first * g.x_image(), images, memory.matrix);
          product.of(images).run(machine.stream(), a.inputs[1].f32() + first * g.y_image(), matrix, nullptr,
                                 first == 0 ? nullptr : dw, dw);
        });
        if (!g.pointwise) {
          rows_to_filters(machine.stream(), dw, a.outputs[0].f32(), g.filters, g.plane.channels, g.plane.taps(), g.stride);
        }
        if (!op.bias) return;
        sum_rows(machine.stream(), a.inputs[1].f32(), rows, memory.partial, false);
        fold(machine.stream(), memory.partial, rows.parts, g.filters, a.outputs[1].f32());
      });
}

}  // namespace fovea::cuda
