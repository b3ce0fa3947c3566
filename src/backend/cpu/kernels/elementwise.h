// Fovea: elementwise kernels, each over `count` floats. An output may be an input.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "backend/cpu/kernels/target.h"
#include "graph/ops.h"

namespace fovea::cpu {

/// y = activation(x)
using ActivateKernel = void(graph::Activation activation, const float* x, float* y, std::int64_t count);
/// dx = dy activation'(saved)
using ActivateBackwardKernel = void(graph::Activation activation, const float* saved, const float* dy, float* dx,
                                    std::int64_t count);
/// y = silu(x), slope = silu'(x)
using SiluWithSlopeKernel = void(const float* x, float* y, float* slope, std::int64_t count);
/// y = a b
using MultiplyKernel = void(const float* a, const float* b, float* y, std::int64_t count);
/// y = a + b
using AddKernel = void(const float* a, const float* b, float* y, std::int64_t count);
/// y = a x
using ScaleKernel = void(float a, const float* x, float* y, std::int64_t count);
/// a . b
using DotKernel = float(const float* a, const float* b, std::int64_t count);
/// y += a x
using MultiplyAddKernel = void(float a, const float* x, float* y, std::int64_t count);
/// y = sum of the `parts` blocks of `count` floats at x, x + stride, ..., in that order.
using SumPartsKernel = void(const float* x, std::int64_t parts, std::int64_t stride, float* y, std::int64_t count);

struct Elementwise {
  ActivateKernel* activate;
  ActivateBackwardKernel* activate_backward;
  SiluWithSlopeKernel* silu_with_slope;
  MultiplyKernel* multiply;
  AddKernel* add;
  ScaleKernel* scale;
  DotKernel* dot;
  MultiplyAddKernel* multiply_add;
  SumPartsKernel* sum_parts;
};
[[nodiscard]] Elementwise elementwise(Target target);

}  // namespace fovea::cpu
