// SPDX-License-Identifier: Apache-2.0
#include "backend/cuda/kernels/norm.h"

#include "backend/cuda/setup.h"

namespace fovea::cuda {
namespace {

std::size_t partial_bytes(const Shape& x) {
  const int channels = Setup::channels(x);
  return align_up(static_cast<std::size_t>(partial_floats(row_grid(Setup::rows(x), channels), 2, channels)) * sizeof(float));
}

}  // namespace

KernelResult prepare_op(const Setup& setup, const graph::BatchNorm& op) {
  return make_kernel(setup, {.name = "batch_norm", .reusable_input = 0}, [op](Machine& machine, const Arguments& a) {
    const NormVectors norm{a.inputs[1].f32(), a.inputs[2].f32(), a.inputs[3].f32(), a.inputs[4].f32(), op.eps};
    normalise(machine.stream(), a.inputs[0].f32(), norm, Activation::kNone, a.outputs[0].f32(), Setup::rows(a.inputs[0].shape),
              Setup::channels(a.inputs[0].shape));
  });
}

KernelResult prepare_op(const Setup& setup, const graph::BatchNormTrain& op) {
  const std::size_t pivot = partial_bytes(setup.input(0));
  const std::size_t bytes = pivot + static_cast<std::size_t>(Setup::channels(setup.input(0))) * sizeof(float);
  const KernelTraits traits{.name = "batch_norm_train", .scratch_bytes = bytes, .reusable_input = 0};
  return make_kernel(setup, traits, [op, pivot](Machine& machine, const Arguments& a) {
    const std::int64_t rows = Setup::rows(a.inputs[0].shape);
    const int channels = Setup::channels(a.inputs[0].shape);
    const NormVectors norm{a.inputs[1].f32(), a.inputs[2].f32(), a.outputs[1].f32(), a.outputs[2].f32(), op.eps};
    with_numbers(a.outputs[0], [&](auto* y) {
      const auto* x = like(y, a.inputs[0]);
      statistics(machine.stream(), x, rows, channels, reinterpret_cast<float*>(a.scratch),
                 reinterpret_cast<float*>(a.scratch + pivot), a.outputs[1].f32(), a.outputs[2].f32());
      normalise(machine.stream(), x, norm, op.activation, y, rows, channels);
    });
  });
}

KernelResult prepare_op(const Setup& setup, const graph::BatchNormTrainBackward& op) {
  const KernelTraits traits{.name = "batch_norm_backward", .scratch_bytes = partial_bytes(setup.input(0)), .reusable_input = 5};
  return make_kernel(setup, traits, [op](Machine& machine, const Arguments& a) {
    const NormVectors norm{a.inputs[1].f32(), a.inputs[2].f32(), a.inputs[3].f32(), a.inputs[4].f32(), op.eps};
    with_numbers(a.outputs[0], [&](auto* dx) {
      normalise_backward(machine.stream(), like(dx, a.inputs[0]), norm, like(dx, a.inputs[5]), op.activation,
                         Setup::rows(a.inputs[0].shape), Setup::channels(a.inputs[0].shape), reinterpret_cast<float*>(a.scratch),
                         dx, a.outputs[1].f32(), a.outputs[2].f32());
    });
  });
}

KernelResult prepare_op(const Setup& setup, const graph::UpdateRunningStatistics& op) {
  return make_kernel(setup, {.name = "update_running"}, [op](Machine& machine, const Arguments& a) {
    update_running(machine.stream(), a.inputs[0].f32(), a.inputs[1].f32(), op.momentum, op.count,
                   Setup::channels(a.inputs[0].shape), a.outputs[0].f32(), a.outputs[1].f32());
  });
}

KernelResult prepare_op(const Setup& setup, const graph::FoldBatchNorm& op) {
  return make_kernel(setup, {.name = "fold_batch_norm"}, [op](Machine& machine, const Arguments& a) {
    const NormVectors norm{a.inputs[1].f32(), a.inputs[2].f32(), a.inputs[3].f32(), a.inputs[4].f32(), op.eps};
    const auto filters = static_cast<int>(a.inputs[1].shape.elements());
    fold_norm(machine.stream(), a.inputs[0].f32(), norm, filters, static_cast<int>(a.inputs[0].shape.elements() / filters),
              a.outputs[0].f32(), a.outputs[1].f32());
  });
}

KernelResult prepare_op(const Setup& setup, const graph::FoldBatchNormBackward& op) {
  const std::size_t sums = static_cast<std::size_t>(setup.input(1).elements()) * sizeof(float);
  return make_kernel(
      setup, {.name = "fold_batch_norm_backward", .scratch_bytes = sums}, [op](Machine& machine, const Arguments& a) {
        const NormVectors norm{a.inputs[1].f32(), nullptr, a.inputs[2].f32(), a.inputs[3].f32(), op.eps};
        const auto filters = static_cast<int>(a.inputs[1].shape.elements());
        fold_norm_backward(machine.stream(), a.inputs[0].f32(), norm, a.inputs[4].f32(), a.inputs[5].f32(), filters,
                           static_cast<int>(a.inputs[0].shape.elements() / filters), reinterpret_cast<float*>(a.scratch),
                           a.outputs[0].f32(), a.outputs[1].f32(), a.outputs[2].f32());
      });
}

}  // namespace fovea::cuda
