// SPDX-License-Identifier: Apache-2.0
#include "backend/reference/activation.h"
#include "backend/reference/definition.h"
#include "backend/reference/window.h"

namespace fovea::reference {

template <class Real>
void define(const graph::DepthwiseConv2d& op, const Operands<Real>& t) {
  const auto x = t.in[0], w = t.in[1];
  const auto y = t.out[0];
  const bool has_bias = t.in.size() == 3;
  for (std::int64_t i = 0; i < y.size(); ++i) y[i] = has_bias ? t.in[2](i % y.channels()) : Real(0);
  for_each_tap(op.window, x.shape(), y.shape(), [&](const Tap& a) {
    for (std::int64_t c = 0; c < y.channels(); ++c) y(a.n, a.h, a.w, c) += x(a.n, a.i, a.j, c) * w(c, 0, a.r, a.s);
  });
  for (std::int64_t i = 0; i < y.size(); ++i) y[i] = activate(op.activation, y[i]);
}

template <class Real>
void define(const graph::DepthwiseConv2dBackward& op, const Operands<Real>& t) {
  const auto x = t.in[0], w = t.in[1], dy = t.in[2], y = t.in[3];
  const auto dx = t.out[0], dw = t.out[1], db = t.out[2];
  dx.fill(0);
  dw.fill(0);
  db.fill(0);
  // The gradient before the activation: i counts the elements of y.
  const auto dz = [&](std::int64_t i) { return dy[i] * slope(op.activation, y[i]); };
  for_each_tap(op.window, x.shape(), y.shape(), [&](const Tap& a) {
    for (std::int64_t c = 0; c < y.channels(); ++c) {
      const Real g = dz(&y(a.n, a.h, a.w, c) - &y[0]);
      dx(a.n, a.i, a.j, c) += g * w(c, 0, a.r, a.s);
      dw(c, 0, a.r, a.s) += g * x(a.n, a.i, a.j, c);
    }
  });
  for (std::int64_t i = 0; i < y.size(); ++i) db(i % y.channels()) += dz(i);
  for (std::int64_t i = 0; i < x.size(); ++i) dx[i] *= slope(op.input_activation, x[i]);
}

FOVEA_INSTANTIATE(DepthwiseConv2d);
FOVEA_INSTANTIATE(DepthwiseConv2dBackward);

}  // namespace fovea::reference
