// Fovea: the optimiser's passes over flat buffers.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "backend/cuda/kernels/launch.h"
#include "backend/training_ops.h"

namespace fovea::cuda {

void accumulate(Stream stream, const float* gradients, float* sum, std::int64_t count);

/// Partial sums of clip().
[[nodiscard]] SumsGrid clip_grid(std::int64_t count);
void clip(Stream stream, const float* gradients, const Trained* trained, std::int64_t count, float limit, float* partial,
          GradientScale* scale, LossScale* loss);

/// With its numbers worked out: parameters = keep parameters - rate (m / (sqrt(v) / correction + eps)).
struct AdamWFactors {
  float keep, keep_undecayed, rate, correction, toward, beta2, toward2, eps;
};
void adamw(Stream stream, const AdamWFactors& factors, const TrainingOps::Buffers& buffers);
struct SgdFactors {
  float rate, decay, momentum, of_gradient, of_velocity;
};
void sgd(Stream stream, const SgdFactors& factors, const TrainingOps::Buffers& buffers);
void update_average(Stream stream, float toward, const float* values, float* average, std::int64_t count,
                    const GradientScale* scale);
void put_back(Stream stream, const float* kept, float* values, std::int64_t count, const GradientScale* scale);

}  // namespace fovea::cuda
