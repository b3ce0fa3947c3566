// Fovea: kernels that take each element by itself, or sum over rows of channels.
// SPDX-License-Identifier: Apache-2.0
//
// All arrays are the device's. "rows" of C channels lie one after the other unless a stride is given.
#pragma once

#include <cstdint>

#include "backend/cuda/kernels/numbers.h"
#include "backend/cuda/kernels/step_state.h"
#include "graph/activation.h"

namespace fovea::cuda {

using graph::Activation;

/// y[i] = activation(x[i]); y may be x.
template <class T>
void apply_activation(Stream stream, const T* x, T* y, std::int64_t count, Activation activation);
/// dx[i] = dy[i] activation'(saved[i]); dx may be dy or saved.
template <class T>
void apply_slope(Stream stream, const T* saved, const T* dy, T* dx, std::int64_t count, Activation activation);
/// y[i] = a[i] + b[i]; y may be either.
template <class T>
void add(Stream stream, const T* a, const T* b, T* y, std::int64_t count);
/// y (rows, C) = activation(x + bias); bias may be null, y may be x.
template <class T>
void add_bias(Stream stream, const float* x, const float* bias, T* y, std::int64_t rows, int channels, Activation activation);
/// As the op Dropout says (core/dropout_mask.h), for `rows` rows of `width` elements; y may be x.
void dropout(Stream stream, const float* x, float* y, std::int64_t rows, std::int64_t width, float rate, std::uint32_t which,
             const StepState* state);

/// y (rows, stride) = x (rows, C) rounded, then `ones` columns of 1, then zeros.
template <class T>
void round_rows(Stream stream, const float* x, T* y, std::int64_t rows, int channels, int stride, int ones);
/// The weights (K, C) that go with round_rows: y (K, stride) = w rounded, then b as a sum of three rounded parts (b may be null),
/// then zeros.
template <class T>
void round_weights(Stream stream, const float* w, const float* b, T* y, int filters, int channels, int stride);
/// y (C, R) = x (R, C), rounded to T.
template <class T>
void transpose(Stream stream, const float* x, float* y, int rows, int columns);

/// sums (C) = over rows of dy(row, c) activation'(saved(row, c)), which is also written to g (rows, C) if that is not null.
/// Without `saved` the activation counts as none. partial: sums_floats(rows, C) floats.
template <class S, class D, class G>
void through_activation(Stream stream, const S* saved, Activation activation, const D* dy, G* g, const SumsGrid& grid,
                        float* partial, bool add);
/// The sums alone: partial sums of x (rows, C).
template <class T>
void sum_rows(Stream stream, const T* x, const SumsGrid& grid, float* partial, bool add) {
  through_activation<T, T, T>(stream, nullptr, Activation::kNone, x, nullptr, grid, partial, add);
}
/// The grid of the above.
[[nodiscard]] SumsGrid row_grid(std::int64_t rows, int channels);
/// Floats of partial sums of `values` for each of `channels`.
[[nodiscard]] inline std::int64_t partial_floats(const SumsGrid& grid, int values, int channels) {
  return std::int64_t{grid.parts} * values * channels;
}
/// out[i] = the sum of partial (parts, count) over parts, in their order.
void fold(Stream stream, const float* partial, int parts, std::int64_t count, float* out);

}  // namespace fovea::cuda
