// SPDX-License-Identifier: Apache-2.0
//
// Ops that move channels about or average over positions: rows of channels are copied, added and scaled.
#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include "backend/cpu/kernels/elementwise.h"
#include "backend/cpu/setup.h"
#include "backend/function_kernel.h"
#include "core/parallel.h"

namespace fovea::cpu {
namespace {

/// Rows that are worth a thread.
constexpr std::int64_t kRowGrain = 64;

void copy(const float* from, std::int64_t count, float* to) {
  std::memcpy(to, from, static_cast<std::size_t>(count) * sizeof(float));
}

}  // namespace

KernelResult prepare_op(const Setup& setup, const graph::Concat& /*op*/) {
  const std::int64_t channels = setup.output(0).back();
  return make_kernel({"cpu/concat", 0, 0, std::nullopt}, [context = setup.context, channels](const Arguments& a) {
    float* y = a.outputs[0].f32();
    parallel_ranges(context, Setup::rows(a.outputs[0].shape), kRowGrain, [&](Range r) {
      std::int64_t at = 0;
      for (const TensorView& x : a.inputs) {
        const std::int64_t count = x.shape.back();
        for (std::int64_t i = r.begin; i < r.end; ++i) copy(x.f32() + i * count, count, y + i * channels + at);
        at += count;
      }
    });
  });
}

KernelResult prepare_op(const Setup& setup, const graph::SliceChannels& op) {
  const std::int64_t channels = setup.input(0).back();
  return make_kernel({"cpu/slice_channels", 0, 0, std::nullopt}, [context = setup.context, op, channels](const Arguments& a) {
    const float* x = a.inputs[0].f32();
    float* y = a.outputs[0].f32();
    parallel_ranges(context, Setup::rows(a.outputs[0].shape), kRowGrain, [&](Range r) {
      for (std::int64_t i = r.begin; i < r.end; ++i) copy(x + i * channels + op.begin, op.count, y + i * op.count);
    });
  });
}

KernelResult prepare_op(const Setup& setup, const graph::PadChannels& op) {
  const std::int64_t count = setup.input(0).back();
  return make_kernel({"cpu/pad_channels", 0, 0, std::nullopt}, [context = setup.context, op, count](const Arguments& a) {
    const float* x = a.inputs[0].f32();
    float* y = a.outputs[0].f32();
    parallel_ranges(context, Setup::rows(a.outputs[0].shape), kRowGrain, [&](Range r) {
      for (std::int64_t i = r.begin; i < r.end; ++i) {
        float* row = y + i * op.total;
        std::fill(row, row + op.begin, 0.0F);
        copy(x + i * count, count, row + op.begin);
        std::fill(row + op.begin + count, row + op.total, 0.0F);
      }
    });
  });
}

KernelResult prepare_op(const Setup& setup, const graph::GlobalAveragePool& /*op*/) {
  const Shape& x_shape = setup.input(0);
  const std::int64_t positions = x_shape[1] * x_shape[2];
  const std::int64_t channels = x_shape[3];
  return make_kernel({setup.kernel_name("global_average_pool"), 0, 0, std::nullopt},
                     [context = setup.context, positions, channels, kernels = elementwise(setup.target)](const Arguments& a) {
                       const float* x = a.inputs[0].f32();
                       float* y = a.outputs[0].f32();
                       const float scale = 1.0F / static_cast<float>(positions);
                       parallel_for(context, a.inputs[0].shape[0], [&](std::int64_t n) {
                         kernels.sum_parts(x + n * positions * channels, positions, channels, y + n * channels, channels);
                         kernels.scale(scale, y + n * channels, y + n * channels, channels);
                       });
                     });
}

KernelResult prepare_op(const Setup& setup, const graph::GlobalAveragePoolBackward& op) {
  const std::int64_t positions = op.height * op.width;
  const std::int64_t channels = setup.input(0)[1];
  return make_kernel({setup.kernel_name("global_average_pool_backward"), 0, 0, std::nullopt},
                     [context = setup.context, positions, channels, kernels = elementwise(setup.target)](const Arguments& a) {
                       const float* dy = a.inputs[0].f32();
                       float* dx = a.outputs[0].f32();
                       const float scale = 1.0F / static_cast<float>(positions);
                       parallel_for(context, a.inputs[0].shape[0], [&](std::int64_t n) {
                         float* image = dx + n * positions * channels;
                         kernels.scale(scale, dy + n * channels, image, channels);
                         for (std::int64_t i = 1; i < positions; ++i) copy(image, channels, image + i * channels);
                       });
                     });
}

}  // namespace fovea::cpu
