// SPDX-License-Identifier: Apache-2.0
#include "backend/reference/activation.h"
#include "backend/reference/definition.h"
#include "backend/reference/operand.h"
#include "backend/reference/window.h"

namespace fovea::reference {

template <class Real>
void define(const graph::Conv2d& op, const Operands<Real>& t) {
  const auto own_x = operand(t.in[0], op.precision), own_w = operand(t.in[1], op.precision);
  const auto x = own_x.in(), w = own_w.in();
  const auto y = t.out[0];
  const bool has_bias = t.in.size() == 3;
  for (std::int64_t i = 0; i < y.size(); ++i) y[i] = has_bias ? t.in[2](i % y.channels()) : Real(0);
  for_each_tap(op.window, x.shape(), y.shape(), [&](const Tap& a) {
    for (std::int64_t k = 0; k < y.channels(); ++k) {
      for (std::int64_t c = 0; c < x.channels(); ++c) y(a.n, a.h, a.w, k) += x(a.n, a.i, a.j, c) * w(k, c, a.r, a.s);
    }
  });
  const bool coarse = op.keeps_slope && op.activation == graph::Activation::kSilu && op.precision == graph::Precision::kBF16;
  for (std::int64_t i = 0; i < y.size(); ++i) {
    if (coarse) {
      const Silu<Real> silu(y[i], kCoarseSigmoid);
      t.out[1][i] = silu.slope;
      y[i] = silu.value;
      continue;
    }
    if (op.keeps_slope) t.out[1][i] = slope(op.activation, y[i]);
    y[i] = activate(op.activation, y[i]);
  }
}

template <class Real>
void define(const graph::Conv2dBackwardInput& op, const Operands<Real>& t) {
  const auto own_dy = operand(t.in[0], op.precision), own_w = operand(t.in[1], op.precision);
  const auto dy = own_dy.in(), w = own_w.in();
  const auto dx = t.out[0];
  dx.fill(0);
  for_each_tap(op.window, dx.shape(), dy.shape(), [&](const Tap& a) {
    for (std::int64_t k = 0; k < dy.channels(); ++k) {
      for (std::int64_t c = 0; c < dx.channels(); ++c) dx(a.n, a.i, a.j, c) += dy(a.n, a.h, a.w, k) * w(k, c, a.r, a.s);
    }
  });
  for (std::int64_t i = 0; i < dx.size(); ++i) {
    if (op.adds) dx[i] += t.in[2][i];
    if (op.by_slope) dx[i] *= t.in[slope_input(op)][i];
  }
}

template <class Real>
void define(const graph::Conv2dBackwardWeight& op, const Operands<Real>& t) {
  const auto own_x = operand(t.in[0], op.precision), own_dy = operand(t.in[1], op.precision);
  const auto x = own_x.in(), dy = own_dy.in();
  const auto dw = t.out[0];
  dw.fill(0);
  for_each_tap(op.window, x.shape(), dy.shape(), [&](const Tap& a) {
    for (std::int64_t k = 0; k < dy.channels(); ++k) {
      for (std::int64_t c = 0; c < x.channels(); ++c) dw(k, c, a.r, a.s) += dy(a.n, a.h, a.w, k) * x(a.n, a.i, a.j, c);
    }
  });
  if (!op.bias) return;
  const auto db = t.out[1];
  db.fill(0);
  for (std::int64_t i = 0; i < dy.size(); ++i) db(i % dy.channels()) += t.in[1][i];
}

FOVEA_INSTANTIATE(Conv2d);
FOVEA_INSTANTIATE(Conv2dBackwardInput);
FOVEA_INSTANTIATE(Conv2dBackwardWeight);

}  // namespace fovea::reference
