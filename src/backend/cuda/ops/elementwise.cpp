// SPDX-License-Identifier: Apache-2.0
#include "backend/cuda/kernels/elementwise.h"

#include "backend/cuda/setup.h"

namespace fovea::cuda {

KernelResult prepare_op(const Setup& setup, const graph::Activate& op) {
  return make_kernel(setup, {.name = "activate", .reusable_input = 0}, [op](Machine& machine, const Arguments& a) {
    with_numbers(a.outputs[0], [&](auto* y) {
      apply_activation(machine.stream(), like(y, a.inputs[0]), y, a.outputs[0].shape.elements(), op.activation);
    });
  });
}

KernelResult prepare_op(const Setup& setup, const graph::ActivateBackward& op) {
  return make_kernel(setup, {.name = "activate_backward", .reusable_input = 1}, [op](Machine& machine, const Arguments& a) {
    with_numbers(a.outputs[0], [&](auto* dx) {
      apply_slope(machine.stream(), like(dx, a.inputs[0]), like(dx, a.inputs[1]), dx, a.outputs[0].shape.elements(),
                  op.activation);
    });
  });
}

KernelResult prepare_op(const Setup& setup, const graph::Add& /*op*/) {
  return make_kernel(setup, {.name = "add", .reusable_input = 0}, [](Machine& machine, const Arguments& a) {
    with_numbers(a.outputs[0], [&](auto* y) {
      add(machine.stream(), like(y, a.inputs[0]), like(y, a.inputs[1]), y, a.outputs[0].shape.elements());
    });
  });
}

KernelResult prepare_op(const Setup& setup, const graph::Dropout& op) {
  return make_kernel(setup, {.name = "dropout", .reusable_input = 0}, [op](Machine& machine, const Arguments& a) {
    machine.set_state(a.state);
    const Shape& shape = a.outputs[0].shape;
    dropout(machine.stream(), a.inputs[0].f32(), a.outputs[0].f32(), shape[0], shape.elements() / shape[0], op.rate, op.stream,
            machine.state());
  });
}

}  // namespace fovea::cuda
