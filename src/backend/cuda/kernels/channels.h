// Fovea: channels put together, taken apart, and averaged; windows laid out as rows of a matrix.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "backend/cuda/kernels/depthwise.h"

namespace fovea::cuda {

/// y(row, to + c) = x(row, from + c) for `count` channels of rows of x_stride and y_stride channels.
template <class T>
void copy_channels(Stream stream, const T* x, int x_stride, int from, T* y, int y_stride, int to, int count, std::int64_t rows);
/// y (rows, total) = x (rows, C) at channel `begin`, zeros around it.
template <class T>
void pad_channels(Stream stream, const T* x, int channels, T* y, int begin, int total, std::int64_t rows);
/// x (N, positions, C) -> y (N, C), and its backward dy -> dx.
void average_pool(Stream stream, const float* x, float* y, int images, int positions, int channels);
void average_pool_backward(Stream stream, const float* dy, float* dx, int images, int positions, int channels);

/// x (N,H,W,C) -> rows (N H' W', stride), rounded to T: the window of each position of y, in the order (R,S,C), then zeros. A
/// stride is a multiple of four, or the channels of a pointwise window.
template <class X, class T>
void patches(Stream stream, const Plane& plane, const X* x, T* rows, int stride);
/// The gradient of that: dx(n,i,j,c) is the sum of what its patches hold of it, rounded to D.
template <class D>
void patches_backward(Stream stream, const Plane& plane, const float* rows, int stride, D* dx);
/// w (K,C,R,S) -> (K, stride), rounded to T, in the order of a patch, zeros behind; and back, the first C R S of a row.
template <class T>
void filters_to_rows(Stream stream, const float* w, T* rows, int filters, int channels, int taps, int stride);
void rows_to_filters(Stream stream, const float* rows, float* w, int filters, int channels, int taps, int stride);

}  // namespace fovea::cuda
