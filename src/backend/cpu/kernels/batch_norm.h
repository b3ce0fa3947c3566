// Fovea: the passes of batch normalisation over rows of channels. Vectors of C floats are per channel.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "backend/cpu/kernels/target.h"
#include "graph/ops.h"

namespace fovea::cpu {

/// How a channel is normalised: z = (x - mean) scale + shift.
struct Normalisation {
  const float* mean;
  const float* scale;
  const float* shift;
};

/// Of rows of floats, or of numbers that are kept as bf16: computed as floats either way, each result rounded once.
template <class Number>
struct BatchNormKernels {
  /// sum (C) and squares (C) of x - pivot over `rows` rows. A pivot near the mean keeps the squares from cancelling later.
  void (*moments)(const Number* x, std::int64_t rows, std::int64_t channels, const float* pivot, float* sum, float* squares);
  /// y = activation(z). y may be x. `large`: y is too large for the caches.
  void (*normalise)(graph::Activation activation, const Normalisation& by, const Number* x, std::int64_t rows,
                    std::int64_t channels, Number* y, bool large);
  /// With g = dy activation'(z): sum (C) of g and product (C) of g (x - mean), over `rows` rows.
  void (*gradient_sums)(graph::Activation activation, const Normalisation& by, const Number* x, const Number* dy,
                        std::int64_t rows, std::int64_t channels, float* sum, float* product);
  /// dx = scale (g - sum - (x - mean) product). dx may be x or dy.
  void (*normalise_backward)(graph::Activation activation, const Normalisation& by, const float* sum, const float* product,
                             const Number* x, const Number* dy, std::int64_t rows, std::int64_t channels, Number* dx);
};
[[nodiscard]] BatchNormKernels<float> batch_norm_kernels(Target target);

}  // namespace fovea::cpu
