// Fovea: channels put together, taken apart, and averaged; windows laid out as rows of a matrix.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "backend/cuda/kernels/depthwise.h"

namespace fovea::cuda {

/// y(row, to + c) = x(row, from + c) for `count` channels of rows of x_stride and y_stride channels.
void copy_channels(Stream stream, const float* x, int x_stride, int from, float* y, int y_stride, int to, int count,
                   std::int64_t rows);
/// y (rows, total) = x (rows, C) at channel `begin`, zeros around it.
void pad_channels(Stream stream, const float* x, int channels, float* y, int begin, int total, std::int64_t rows);
/// x (N, positions, C) -> y (N, C), and its backward dy -> dx.
void average_pool(Stream stream, const float* x, float* y, int images, int positions, int channels);
void average_pool_backward(Stream stream, const float* dy, float* dx, int images, int positions, int channels);

/// x (N,H,W,C) -> rows (N H' W', stride): the window of each position of y, in the order (R,S,C), then zeros.
void patches(Stream stream, const Plane& plane, const float* x, float* rows, int stride);
/// The gradient of that: dx(n,i,j,c) is the sum of what its patches hold of it.
void patches_backward(Stream stream, const Plane& plane, const float* rows, int stride, float* dx);
/// w (K,C,R,S) -> (K, stride) in the order of a patch, zeros behind; and back, the first C R S of a row.
void filters_to_rows(Stream stream, const float* w, float* rows, int filters, int channels, int taps, int stride);
void rows_to_filters(Stream stream, const float* rows, float* w, int filters, int channels, int taps, int stride);

}  // namespace fovea::cuda
