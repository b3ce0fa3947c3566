// Fovea: depthwise convolutions.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "backend/cuda/kernels/norm.h"

namespace fovea::cuda {

/// Images under a window: x (N,H,W,C) -> y (N,H',W',C).
struct Plane {
  int images = 0;
  int height = 0, width = 0;
  int out_height = 0, out_width = 0;
  int channels = 0;
  int kernel_h = 1, kernel_w = 1;
  int stride = 1;
  int top = 0, left = 0;

  [[nodiscard]] FOVEA_INLINE int taps() const { return kernel_h * kernel_w; }
  [[nodiscard]] std::int64_t rows() const { return std::int64_t{images} * height * width; }
  [[nodiscard]] std::int64_t out_rows() const { return std::int64_t{images} * out_height * out_width; }
};

inline constexpr int kMostTaps = 25;  ///< of a backward pass

/// y = after(before(x) * w + b). w is (taps, C); b may be null; `before` is none, relu or relu6.
template <class T>
void depthwise(Stream stream, const Plane& plane, const T* x, Activation before, const float* w, const float* b, Activation after,
               T* y);

/// From g (N,H',W',C), the gradient before y's activation: dx = (the gradient of before(x) + add_to) before'(x), where add_to may
/// be null, and the sums over all positions of dx (C) and of the gradient of w (taps, C), one after the other, as partial sums of
/// depthwise_grid: 1 + taps() values.
template <class T, class D>
void depthwise_backward(Stream stream, const Plane& plane, const T* x, Activation before, const float* w, const T* g,
                        const float* add_to, D* dx, const SumsGrid& grid, float* partial, bool add);
/// The same where x (N,H,W,C) are sums, which `norm` and `activation` (none, relu or relu6) make what is convolved, rounded to T:
/// dx is the gradient before that activation, and there is one sum more, behind the others: of dx times x normalised.
template <class T>
void normalised_depthwise_backward(Stream stream, const Plane& plane, const float* x, const NormVectors& norm,
                                   Activation activation, const float* w, const T* g, T* dx, const SumsGrid& grid, float* partial,
                                   bool add);
/// Of images of `plane`; for fewer of them `items` alone changes. A part's sums are depthwise_values for every channel.
[[nodiscard]] SumsGrid depthwise_grid(const Plane& plane);
[[nodiscard]] int depthwise_values(const Plane& plane, bool normalises = false);
/// Those partial sums added: dw (C, taps), db (C) unless null, and where it normalises dgamma (C), else null.
void fold_depthwise(Stream stream, const Plane& plane, const float* partial, int parts, float* dw, float* db, float* dgamma);

}  // namespace fovea::cuda
