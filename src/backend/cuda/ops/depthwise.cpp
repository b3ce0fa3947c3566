// SPDX-License-Identifier: Apache-2.0
#include "backend/cuda/kernels/depthwise.h"

#include "backend/cuda/setup.h"

namespace fovea::cuda {
namespace {

std::size_t weight_bytes(const Plane& plane) {
  return align_up(static_cast<std::size_t>(plane.taps()) * static_cast<std::size_t>(plane.channels) * sizeof(float));
}

/// Puts the weights (C, taps) of input 1 into packed memory as (taps, C).
auto pack_weights(const Plane& plane) {
  return [plane](Machine& machine, const Arguments& a) {
    transpose<float>(machine.stream(), a.inputs[1].f32(), reinterpret_cast<float*>(a.packed), plane.channels, plane.taps());
  };
}

}  // namespace

KernelResult prepare_op(const Setup& setup, const graph::DepthwiseConv2d& op) {
  const Plane plane = plane_of(op.window, setup.input(0), setup.output(0));
  return make_kernel(
      setup, {.name = "depthwise", .packed_bytes = weight_bytes(plane)},
      [op, plane](Machine& machine, const Arguments& a) {
        const float* bias = a.inputs.size() == 3 ? a.inputs[2].f32() : nullptr;
        depthwise(machine.stream(), plane, a.inputs[0].f32(), Activation::kNone, reinterpret_cast<const float*>(a.packed), bias,
                  op.activation, a.outputs[0].f32());
      },
      pack_weights(plane));
}

// x, w, dy, y -> dx, dw, db.
KernelResult prepare_op(const Setup& setup, const graph::DepthwiseConv2dBackward& op) {
  const Plane plane = plane_of(op.window, setup.input(0), setup.input(2));
  const SumsGrid rows = row_grid(plane.out_rows(), plane.channels), grid = depthwise_grid(plane);
  const auto scratch = [=](std::byte* memory) {
    struct Scratch {
      float* g;
      float* of_rows;
      float* of_taps;
      std::size_t bytes;
    };
    Pieces pieces(memory);
    Scratch made{};
    made.g = pieces.take<float>(plane.out_rows() * plane.channels);
    made.of_rows = pieces.take<float>(partial_floats(rows, 1, plane.channels));
    made.of_taps = pieces.take<float>(partial_floats(grid, depthwise_values(plane), plane.channels));
    made.bytes = pieces.bytes();
    return made;
  };
  return make_kernel(
      setup, {.name = "depthwise_backward", .packed_bytes = weight_bytes(plane), .scratch_bytes = scratch(nullptr).bytes},
      [=](Machine& machine, const Arguments& a) {
        const Stream stream = machine.stream();
        const auto memory = scratch(a.scratch);
        const float* saved = op.activation == Activation::kNone ? nullptr : a.inputs[3].f32();
        through_activation(stream, saved, op.activation, a.inputs[2].f32(), memory.g, rows, memory.of_rows, false);
        fold(stream, memory.of_rows, rows.parts, plane.channels, a.outputs[2].f32());
        depthwise_backward(stream, plane, a.inputs[0].f32(), op.input_activation, reinterpret_cast<const float*>(a.packed),
                           static_cast<const float*>(memory.g), static_cast<const float*>(nullptr), a.outputs[0].f32(), grid,
                           memory.of_taps, false);
        fold_depthwise(stream, plane, memory.of_taps, grid.parts, a.outputs[1].f32(), nullptr, nullptr);
      },
      pack_weights(plane));
}

}  // namespace fovea::cuda
