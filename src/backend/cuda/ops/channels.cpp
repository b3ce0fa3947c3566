// SPDX-License-Identifier: Apache-2.0
#include "backend/cuda/kernels/channels.h"

#include "backend/cuda/setup.h"

namespace fovea::cuda {

KernelResult prepare_op(const Setup& setup, const graph::Concat& /*op*/) {
  return make_kernel(setup, {.name = "concat"}, [](Machine& machine, const Arguments& a) {
    with_numbers(a.outputs[0], [&](auto* y) {
      const int total = Setup::channels(a.outputs[0].shape);
      int at = 0;
      for (const TensorView& x : a.inputs) {
        const int channels = Setup::channels(x.shape);
        copy_channels(machine.stream(), like(y, x), channels, 0, y, total, at, channels, Setup::rows(x.shape));
        at += channels;
      }
    });
  });
}

KernelResult prepare_op(const Setup& setup, const graph::SliceChannels& op) {
  return make_kernel(setup, {.name = "slice_channels"}, [op](Machine& machine, const Arguments& a) {
    const auto count = static_cast<int>(op.count);
    with_numbers(a.outputs[0], [&](auto* y) {
      copy_channels(machine.stream(), like(y, a.inputs[0]), Setup::channels(a.inputs[0].shape), static_cast<int>(op.begin), y,
                    count, 0, count, Setup::rows(a.inputs[0].shape));
    });
  });
}

KernelResult prepare_op(const Setup& setup, const graph::PadChannels& op) {
  return make_kernel(setup, {.name = "pad_channels"}, [op](Machine& machine, const Arguments& a) {
    with_numbers(a.outputs[0], [&](auto* y) {
      pad_channels(machine.stream(), like(y, a.inputs[0]), Setup::channels(a.inputs[0].shape), y, static_cast<int>(op.begin),
                   static_cast<int>(op.total), Setup::rows(a.inputs[0].shape));
    });
  });
}

KernelResult prepare_op(const Setup& setup, const graph::GlobalAveragePool& /*op*/) {
  return make_kernel(setup, {.name = "average_pool"}, [](Machine& machine, const Arguments& a) {
    const Shape& x = a.inputs[0].shape;
    average_pool(machine.stream(), a.inputs[0].f32(), a.outputs[0].f32(), static_cast<int>(x[0]), static_cast<int>(x[1] * x[2]),
                 static_cast<int>(x[3]));
  });
}

KernelResult prepare_op(const Setup& setup, const graph::GlobalAveragePoolBackward& /*op*/) {
  return make_kernel(setup, {.name = "average_pool_backward"}, [](Machine& machine, const Arguments& a) {
    const Shape& x = a.outputs[0].shape;
    average_pool_backward(machine.stream(), a.inputs[0].f32(), a.outputs[0].f32(), static_cast<int>(x[0]),
                          static_cast<int>(x[1] * x[2]), static_cast<int>(x[3]));
  });
}

}  // namespace fovea::cuda
