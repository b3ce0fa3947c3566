// SPDX-License-Identifier: Apache-2.0
#include "backend/cpu/kernels/depthwise.h"

#include <algorithm>
#include <utility>

#include "backend/cpu/kernels/elementwise.h"
#include "backend/cpu/setup.h"
#include "backend/function_kernel.h"
#include "core/parallel.h"

namespace fovea::cpu {
namespace {

DepthwiseShape shape_of(const graph::Window& window, const Shape& x, const Shape& y) {
  return {window, x[1], x[2], y[1], y[2], x[3], Setup::is_large(y)};
}

/// (C,1,R,S) to (R,S,C): vectors run over channels.
void channels_last(const float* w, std::int64_t channels, std::int64_t taps, float* packed) {
  for (std::int64_t c = 0; c < channels; ++c) {
    for (std::int64_t t = 0; t < taps; ++t) packed[t * channels + c] = w[c * taps + t];
  }
}

/// And back: (R,S,C) to (C,1,R,S).
void channels_first(const float* packed, std::int64_t channels, std::int64_t taps, float* w) {
  for (std::int64_t c = 0; c < channels; ++c) {
    for (std::int64_t t = 0; t < taps; ++t) w[c * taps + t] = packed[t * channels + c];
  }
}

/// Parts of a backward pass: each has its own sums, added in their order, and computes a few rows of y twice.
constexpr std::int64_t kMaxParts = 16;
constexpr std::int64_t kRowsPerPart = 7;

}  // namespace

KernelResult prepare_op(const Setup& setup, const graph::DepthwiseConv2d& op) {
  const DepthwiseShape shape = shape_of(op.window, setup.input(0), setup.output(0));
  const std::int64_t rows = setup.output(0)[0] * shape.out_height;
  const std::int64_t taps = std::int64_t{op.window.kernel_h} * op.window.kernel_w;
  const bool bias = setup.inputs() == 3;
  const Context context = setup.context;
  KernelTraits traits{setup.kernel_name("depthwise"), static_cast<std::size_t>(taps * shape.channels) * sizeof(float), 0,
                      std::nullopt};
  return make_kernel(
      std::move(traits),
      [=, forward = depthwise_forward(setup.target, op.window), activation = op.activation](const Arguments& a) {
        const float* x = a.inputs[0].f32();
        const float* w = reinterpret_cast<const float*>(a.packed);
        const float* b = bias ? a.inputs[2].f32() : nullptr;
        float* y = a.outputs[0].f32();
        parallel_ranges(context, rows, 4, [&](Range r) { forward(shape, activation, x, w, b, y, r.begin, r.end); });
      },
      [shape, taps](const Arguments& a) {
        channels_last(a.inputs[1].f32(), shape.channels, taps, reinterpret_cast<float*>(a.packed));
      });
}

KernelResult prepare_op(const Setup& setup, const graph::DepthwiseConv2dBackward& op) {
  const DepthwiseShape shape = shape_of(op.window, setup.input(0), setup.input(2));
  const std::int64_t rows = setup.input(0)[0] * shape.height;
  const std::int64_t parts = std::clamp<std::int64_t>(rows / kRowsPerPart, 1, kMaxParts);
  const std::int64_t taps = std::int64_t{op.window.kernel_h} * op.window.kernel_w;
  const std::int64_t sums =
      static_cast<std::int64_t>(align_up(static_cast<std::size_t>((taps + 1) * shape.channels) * sizeof(float)) / sizeof(float));
  const std::int64_t ring = depthwise_backward_rows(shape);
  // A ring for each part costs address space, not memory that moves: a thread's parts follow each other.
  const Context context = setup.context;
  KernelTraits traits{setup.kernel_name("depthwise_backward"), static_cast<std::size_t>(taps * shape.channels) * sizeof(float),
                      static_cast<std::size_t>(parts * (sums + ring)) * sizeof(float), 0};
  return make_kernel(
      std::move(traits),
      [=, kernel = depthwise_backward(setup.target, op.window),
       sum_parts = elementwise(setup.target).sum_parts](const Arguments& a) {
        float* const scratch = reinterpret_cast<float*>(a.scratch);
        parallel_for(context, parts, [&](std::int64_t p) {
          const Range r = part_of(rows, parts, p);
          kernel(shape, op.activation, op.input_activation,
                 {a.inputs[0].f32(), reinterpret_cast<const float*>(a.packed), a.inputs[2].f32(), a.inputs[3].f32(),
                  a.outputs[0].f32(), scratch + p * sums, scratch + parts * sums + p * ring, r.begin, r.end});
        });
        // The first part takes the total.
        sum_parts(scratch, parts, sums, scratch, (taps + 1) * shape.channels);
        channels_first(scratch, shape.channels, taps, a.outputs[1].f32());
        std::copy_n(scratch + taps * shape.channels, shape.channels, a.outputs[2].f32());
      },
      [shape, taps](const Arguments& a) {
        channels_last(a.inputs[1].f32(), shape.channels, taps, reinterpret_cast<float*>(a.packed));
      });
}

}  // namespace fovea::cpu
