// Fovea: the passes of batch normalisation over rows of channels. Vectors of C floats are per channel.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "backend/cpu/kernels/target.h"
#include "graph/ops.h"

namespace fovea::cpu {

/// sum (C) and squares (C) of x - pivot over `rows` rows. A pivot near the mean keeps the squares from cancelling later.
using MomentsKernel = void(const float* x, std::int64_t rows, std::int64_t channels, const float* pivot, float* sum,
                           float* squares);

/// How a channel is normalised: z = (x - mean) scale + shift.
struct Normalisation {
  const float* mean;
  const float* scale;
  const float* shift;
};
/// y = activation(z). y may be x. `large`: y is too large for the caches.
using NormaliseKernel = void(graph::Activation activation, const Normalisation& by, const float* x, std::int64_t rows,
                             std::int64_t channels, float* y, bool large);
/// With g = dy activation'(z): sum (C) of g and product (C) of g (x - mean), over `rows` rows.
using GradientSumsKernel = void(graph::Activation activation, const Normalisation& by, const float* x, const float* dy,
                                std::int64_t rows, std::int64_t channels, float* sum, float* product);
/// dx = scale (g - sum - (x - mean) product). dx may be x or dy.
using NormaliseBackwardKernel = void(graph::Activation activation, const Normalisation& by, const float* sum,
                                     const float* product, const float* x, const float* dy, std::int64_t rows,
                                     std::int64_t channels, float* dx);

struct BatchNormKernels {
  MomentsKernel* moments;
  NormaliseKernel* normalise;
  GradientSumsKernel* gradient_sums;
  NormaliseBackwardKernel* normalise_backward;
};
[[nodiscard]] BatchNormKernels batch_norm_kernels(Target target);

}  // namespace fovea::cpu
