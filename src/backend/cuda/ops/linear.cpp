// SPDX-License-Identifier: Apache-2.0
#include "backend/cuda/setup.h"
#include "core/error.h"

namespace fovea::cuda {

// x (N,C), w (K,C), b (K) -> y (N,K).
KernelResult prepare_op(const Setup& setup, const graph::Linear& /*op*/) {
  const std::int64_t n = setup.input(0)[0], c = setup.input(0)[1], k = setup.input(1)[0];
  FOVEA_ASSIGN(auto product,
               setup.machine->products().prepare(
                   {.m = n, .n = k, .k = c, .b_transposed = true, .a_stride = c, .b_stride = c, .c_stride = k, .bias = true}));
  return make_kernel(setup, {.name = "linear"}, [product = std::move(product)](Machine& machine, const Arguments& a) {
    product->run(machine.stream(), a.inputs[0].data, a.inputs[1].data, a.inputs[2].f32(), nullptr, a.outputs[0].data);
  });
}

// dy (N,K), w (K,C) -> dx (N,C).
KernelResult prepare_op(const Setup& setup, const graph::LinearBackwardInput& /*op*/) {
  const std::int64_t n = setup.input(0)[0], k = setup.input(0)[1], c = setup.input(1)[1];
  FOVEA_ASSIGN(auto product,
               setup.machine->products().prepare({.m = n, .n = c, .k = k, .a_stride = k, .b_stride = c, .c_stride = c}));
  return make_kernel(setup, {.name = "linear_backward_input"},
                     [product = std::move(product)](Machine& machine, const Arguments& a) {
                       product->run(machine.stream(), a.inputs[0].data, a.inputs[1].data, nullptr, nullptr, a.outputs[0].data);
                     });
}

// x (N,C), dy (N,K) -> dw (K,C), db (K).
KernelResult prepare_op(const Setup& setup, const graph::LinearBackwardWeight& /*op*/) {
  const std::int64_t n = setup.input(0)[0], c = setup.input(0)[1], k = setup.input(1)[1];
  FOVEA_ASSIGN(auto product, setup.machine->products().prepare(
                                 {.m = k, .n = c, .k = n, .a_transposed = true, .a_stride = k, .b_stride = c, .c_stride = c}));
  const SumsGrid rows = row_grid(n, static_cast<int>(k));
  const auto scratch = static_cast<std::size_t>(partial_floats(rows, 1, static_cast<int>(k))) * sizeof(float);
  return make_kernel(setup, {.name = "linear_backward_weight", .scratch_bytes = scratch},
                     [product = std::move(product), rows](Machine& machine, const Arguments& a) {
                       product->run(machine.stream(), a.inputs[1].data, a.inputs[0].data, nullptr, nullptr, a.outputs[0].data);
                       sum_rows(machine.stream(), a.inputs[1].f32(), rows, reinterpret_cast<float*>(a.scratch), false);
                       fold(machine.stream(), reinterpret_cast<const float*>(a.scratch), rows.parts,
                            a.outputs[1].shape.elements(), a.outputs[1].f32());
                     });
}

}  // namespace fovea::cuda
