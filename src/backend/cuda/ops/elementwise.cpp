// SPDX-License-Identifier: Apache-2.0
#include "backend/cuda/kernels/elementwise.h"

#include "backend/cuda/setup.h"

namespace fovea::cuda {

KernelResult prepare_op(const Setup& setup, const graph::Activate& op) {
  return make_kernel(setup, {.name = "activate", .reusable_input = 0}, [op](Machine& machine, const Arguments& a) {
    apply_activation(machine.stream(), a.inputs[0].f32(), a.outputs[0].f32(), a.outputs[0].shape.elements(), op.activation);
  });
}

KernelResult prepare_op(const Setup& setup, const graph::ActivateBackward& op) {
  return make_kernel(setup, {.name = "activate_backward", .reusable_input = 1}, [op](Machine& machine, const Arguments& a) {
    apply_slope(machine.stream(), a.inputs[0].f32(), a.inputs[1].f32(), a.outputs[0].f32(), a.outputs[0].shape.elements(),
                op.activation);
  });
}

KernelResult prepare_op(const Setup& setup, const graph::Add& /*op*/) {
  return make_kernel(setup, {.name = "add", .reusable_input = 0}, [](Machine& machine, const Arguments& a) {
    add(machine.stream(), a.inputs[0].f32(), a.inputs[1].f32(), a.outputs[0].f32(), a.outputs[0].shape.elements());
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
