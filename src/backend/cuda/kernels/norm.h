// Fovea: BatchNorm in its forms: stored statistics, the batch's own, folded into a convolution.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>

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

/// What x - mean is multiplied with in channel c.
FOVEA_INLINE float norm_scale(const NormVectors& norm, int c) { return 1.0F / sqrtf(norm.var[c] + norm.eps); }

/// y (rows, C) = activation((x - mean) / sqrt(var + eps) * gamma + beta); y may be x.
template <class X, class Y>
void normalise(Stream stream, const X* x, const NormVectors& norm, Activation activation, Y* y, std::int64_t rows, int channels);

/// Sums over rows of x - pivot (C) and its square, as partial sums of `grid`, a row_grid: 2 values. A pivot near the mean, such
/// as any row, saves the digits that a square would cost.
template <class X>
void moments(Stream stream, const X* x, const float* pivot, int channels, const SumsGrid& grid, float* partial, bool add);
/// pivot (C) = x's first row.
template <class X>
void first_row(Stream stream, const X* x, int channels, float* pivot);
/// Mean and biased variance of `rows` rows, all in all, from those sums.
void finish_moments(Stream stream, const float* partial, int parts, const float* pivot, std::int64_t rows, int channels,
                    float* mean, float* var);
/// All of that of one tensor.
template <class X>
void statistics(Stream stream, const X* x, std::int64_t rows, int channels, float* partial, float* pivot, float* mean,
                float* var);

/// Sums over rows of dz, the gradient before the activation, and of dz times x normalised: 2 values of a row_grid.
template <class X, class D>
void norm_gradient_sums(Stream stream, const X* x, const NormVectors& norm, const D* dy, Activation activation, int channels,
                        const SumsGrid& grid, float* partial, bool add);
void fold_norm_gradient(Stream stream, const float* partial, int parts, int channels, float* dgamma, float* dbeta);
/// dx (rows, C) of a normalisation by the mean and variance of `count` rows, from dgamma and dbeta of all of them; dx may be dy.
template <class X, class D, class G>
void norm_input_gradient(Stream stream, const X* x, const NormVectors& norm, const D* dy, Activation activation,
                         const float* dgamma, const float* dbeta, std::int64_t count, std::int64_t rows, int channels, G* dx);
/// BatchNormTrainBackward, which is those three; partial as theirs. dx may be dy, not x.
template <class T>
void normalise_backward(Stream stream, const T* x, const NormVectors& norm, const T* dy, Activation activation, std::int64_t rows,
                        int channels, float* partial, T* dx, float* dgamma, float* dbeta);
/// UpdateRunningStatistics.
void update_running(Stream stream, const float* mean, const float* var, float momentum, std::int64_t count, int channels,
                    float* running_mean, float* running_var);
/// FoldBatchNorm of w (K, taps) to folded (K, taps), bias (K).
void fold_norm(Stream stream, const float* w, const NormVectors& norm, int filters, int taps, float* folded, float* bias);
/// FoldBatchNormBackward. sums: K floats.
void fold_norm_backward(Stream stream, const float* w, const NormVectors& norm, const float* dfolded, const float* dbias,
                        int filters, int taps, float* sums, float* dw, float* dgamma, float* dbeta);

}  // namespace fovea::cuda
