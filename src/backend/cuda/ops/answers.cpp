// SPDX-License-Identifier: Apache-2.0
#include "backend/cuda/kernels/answers.h"

#include "backend/cuda/setup.h"

namespace fovea::cuda {
namespace {

Answers size_of_answers(const Shape& shape) { return {static_cast<int>(shape[0]), static_cast<int>(shape[1])}; }

std::size_t bytes_of_floats(std::int64_t count) { return static_cast<std::size_t>(count) * sizeof(float); }

/// logits, targets, weights -> loss, p.
template <class Kernel>
KernelResult prepare_loss(const Setup& setup, std::string_view name, Kernel kernel) {
  return make_kernel(setup, {.name = std::string(name), .scratch_bytes = bytes_of_floats(setup.input(0)[0])},
                     [kernel](Machine& machine, const Arguments& a) {
                       const Answers size = size_of_answers(a.inputs[0].shape);
                       auto* of_row = reinterpret_cast<float*>(a.scratch);
                       kernel(machine.stream(), size, a.inputs[0].f32(), a.inputs[1].f32(), a.inputs[2].f32(), a.outputs[1].f32(),
                              of_row);
                       sum_all(machine.stream(), of_row, size.rows, a.outputs[0].f32());
                     });
}

KernelResult prepare_loss_backward(const Setup& setup, bool separate) {
  return make_kernel(setup, {.name = "loss_backward", .reusable_input = 0}, [separate](Machine& machine, const Arguments& a) {
    loss_backward(machine.stream(), size_of_answers(a.inputs[0].shape), a.inputs[0].f32(), a.inputs[1].f32(), a.inputs[2].f32(),
                  separate, a.outputs[0].f32());
  });
}

template <class Op>
Heads heads_of(const Op& op, const Shape& qkv) {
  return {static_cast<int>(qkv[0]), static_cast<int>(qkv[1] * qkv[2]), op.heads, op.key_dim, op.head_dim};
}

}  // namespace

KernelResult prepare_op(const Setup& setup, const graph::Softmax& /*op*/) {
  return make_kernel(setup, {.name = "softmax"}, [](Machine& machine, const Arguments& a) {
    softmax(machine.stream(), size_of_answers(a.inputs[0].shape), a.inputs[0].f32(), nullptr, nullptr, a.outputs[0].f32(),
            nullptr);
  });
}

KernelResult prepare_op(const Setup& setup, const graph::SoftmaxCrossEntropy& /*op*/) {
  return prepare_loss(setup, "softmax_cross_entropy", softmax);
}

KernelResult prepare_op(const Setup& setup, const graph::SigmoidBinaryCrossEntropy& /*op*/) {
  return prepare_loss(setup, "sigmoid_cross_entropy", sigmoid_loss);
}

KernelResult prepare_op(const Setup& setup, const graph::SoftmaxCrossEntropyBackward& /*op*/) {
  return prepare_loss_backward(setup, false);
}

KernelResult prepare_op(const Setup& setup, const graph::SigmoidBinaryCrossEntropyBackward& /*op*/) {
  return prepare_loss_backward(setup, true);
}

KernelResult prepare_op(const Setup& setup, const graph::Attention& op) {
  return make_kernel(setup, {.name = "attention"}, [op](Machine& machine, const Arguments& a) {
    attention(machine.stream(), heads_of(op, a.inputs[0].shape), a.inputs[0].f32(), a.outputs[0].f32(), a.outputs[1].f32(),
              a.outputs[2].f32());
  });
}

KernelResult prepare_op(const Setup& setup, const graph::AttentionBackward& op) {
  const std::size_t scores = bytes_of_floats(setup.input(1).elements());
  return make_kernel(setup, {.name = "attention_backward", .scratch_bytes = scores}, [op](Machine& machine, const Arguments& a) {
    attention_backward(machine.stream(), heads_of(op, a.inputs[0].shape), a.inputs[0].f32(), a.inputs[1].f32(), a.inputs[2].f32(),
                       a.inputs[3].f32(), reinterpret_cast<float*>(a.scratch), a.outputs[0].f32());
  });
}

}  // namespace fovea::cuda
