// Fovea: BatchNorm in its forms: stored statistics, the batch's own, folded into a convolution.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "backend/cuda/kernels/elementwise.h"

namespace fovea::cuda {

/// gamma, beta, mean and var, each (C).
struct NormVectors {
  const float* gamma;
  const float* beta;
  const float* mean;
  const float* var;
  float eps;
};

/// y (rows, C) = activation((x - mean) / sqrt(var + eps) * gamma + beta); y may be x.
void normalise(Stream stream, const float* x, const NormVectors& norm, Activation activation, float* y, std::int64_t rows,
               int channels);
/// mean and biased variance over rows; partial: 2 values of row_grid.
void statistics(Stream stream, const float* x, std::int64_t rows, int channels, float* partial, float* mean, float* var);
/// BatchNormTrainBackward; partial as above. dx may be dy, not x.
void normalise_backward(Stream stream, const float* x, const NormVectors& norm, const float* dy, Activation activation,
                        std::int64_t rows, int channels, float* partial, float* dx, float* dgamma, float* dbeta);
/// UpdateRunningStatistics.
void update_running(Stream stream, const float* mean, const float* var, float momentum, std::int64_t count, int channels,
                    float* running_mean, float* running_var);
/// FoldBatchNorm of w (K, taps) to folded (K, taps), bias (K).
void fold_norm(Stream stream, const float* w, const NormVectors& norm, int filters, int taps, float* folded, float* bias);
/// FoldBatchNormBackward. sums: K floats.
void fold_norm_backward(Stream stream, const float* w, const NormVectors& norm, const float* dfolded, const float* dbias,
                        int filters, int taps, float* sums, float* dw, float* dgamma, float* dbeta);

}  // namespace fovea::cuda
