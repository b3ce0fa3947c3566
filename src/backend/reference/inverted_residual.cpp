// SPDX-License-Identifier: Apache-2.0
#include "backend/reference/activation.h"
#include "backend/reference/compose.h"
#include "backend/reference/operand.h"

namespace fovea::reference {
namespace {

/// What is between a block's ends, as both passes compute it. `inputs` are those of either: x, [we, be], wd, bd, wp, [v], and one
/// more.
template <class Real>
struct Inside {
  static constexpr std::size_t kInputs = 7;  ///< of a block that expands, without v

  Inside(const graph::InvertedResidual& op, std::span<const Tensor<const Real>> inputs, const Shape& y)
      : bd(inputs[op.expands ? 4 : 2]),
        x(operand(inputs[0], op.precision)),
        wd(operand(inputs[op.expands ? 3 : 1], op.precision)),
        we(operand(inputs[1], op.precision)),
        wp(operand(inputs[op.expands ? 5 : 3], op.precision)),
        expanded(x),
        filtered(with_channels(y, bd.shape()[0])) {
    if (op.keeps_expanded && inputs.size() == kInputs + 1) {
      expanded = operand(inputs[kInputs - 1], op.precision);
    } else if (op.expands) {
      Own<Real> made(with_channels(inputs[0].shape(), bd.shape()[0]));
      compute<Real, 3, 1>(graph::Conv2d{{}, op.activation}, {x.in(), we.in(), inputs[2]}, {made.out()});
      expanded = operand(made.in(), op.precision);
    }
    compute<Real, 3, 1>(graph::DepthwiseConv2d{op.window, op.activation}, {expanded.in(), wd.in(), bd}, {filtered.out()});
    filtered = operand(filtered.in(), op.precision);
  }

  Tensor<const Real> bd;
  Own<Real> x, wd, we, wp;
  Own<Real> expanded;  ///< after the first activation
  Own<Real> filtered;  ///< after the second
};

/// gradient *= activation'(seen), and its sum by channel.
template <class Real>
void through(graph::Activation activation, Tensor<const Real> seen, Tensor<Real> gradient, Tensor<Real> sums) {
  sums.fill(0);
  for (std::int64_t i = 0; i < seen.size(); ++i) {
    gradient[i] *= slope(activation, Real(seen[i]));
    sums(i % seen.channels()) += gradient[i];
  }
}

}  // namespace

template <class Real>
void define(const graph::InvertedResidual& op, const Operands<Real>& t) {
  const Tensor<const Real> x = t.in[0];
  const Tensor<Real> y = t.out[0];
  const Inside<Real> inside(op, t.in, y.shape());
  for (std::int64_t i = 0; op.keeps_expanded && i < t.out[1].size(); ++i) t.out[1][i] = inside.expanded.in()[i];
  compute<Real, 3, 1>(graph::Conv2d{}, {inside.filtered.in(), inside.wp.in(), t.in.back()}, {y});
  if (!op.residual) return;
  for (std::int64_t i = 0; i < y.size(); ++i) y[i] += x[i];
}

template <class Real>
void define(const graph::InvertedResidualBackward& o, const Operands<Real>& t) {
  const graph::InvertedResidual& op = o.forward;
  const Tensor<const Real> x = t.in[0], dy = t.in.back();
  const Tensor<Real> dx = t.out[0];
  const std::size_t first = op.expands ? 3 : 1;  // dwd among the outputs
  const Inside<Real> inside(op, t.in, dy.shape());
  const Own<Real> dy_operand = operand(dy, op.precision);

  // Through the second pointwise convolution; its bias adds up dy as it came.
  Own<Real> no_bias(Shape{dy.channels()});
  compute<Real, 2, 2>(graph::Conv2dBackwardWeight{{}, true}, {inside.filtered.in(), dy_operand.in()},
                      {t.out[first + 2], no_bias.out()});
  const Tensor<Real> dbp = t.out[first + 3];
  dbp.fill(0);
  for (std::int64_t i = 0; i < dy.size(); ++i) dbp(i % dy.channels()) += dy[i];
  Own<Real> filtered(inside.filtered.in().shape());
  compute<Real, 2, 1>(graph::Conv2dBackwardInput{{}, filtered.in().shape()}, {dy_operand.in(), inside.wp.in()}, {filtered.out()});
  through(op.activation, inside.filtered.in(), filtered.out(), t.out[first + 1]);
  filtered = operand(filtered.in(), op.precision);

  // Through the depthwise one.
  Own<Real> expanded(inside.expanded.in().shape());
  compute<Real, 4, 3>(graph::DepthwiseConv2dBackward{op.window},
                      {inside.expanded.in(), inside.wd.in(), filtered.in(), filtered.in()},
                      {expanded.out(), t.out[first], Own<Real>(inside.bd.shape()).out()});
  if (op.expands) {
    through(op.activation, inside.expanded.in(), expanded.out(), t.out[2]);
    expanded = operand(expanded.in(), op.precision);
    compute<Real, 2, 1>(graph::Conv2dBackwardWeight{}, {inside.x.in(), expanded.in()}, {t.out[1]});
    compute<Real, 2, 1>(graph::Conv2dBackwardInput{{}, x.shape()}, {expanded.in(), inside.we.in()}, {dx});
  } else {
    for (std::int64_t i = 0; i < x.size(); ++i) dx[i] = expanded.in()[i];
  }
  for (std::int64_t i = 0; i < x.size(); ++i) {
    if (op.residual) dx[i] += dy[i];
    dx[i] *= slope(o.input_activation, Real(x[i]));
  }
}

FOVEA_INSTANTIATE(InvertedResidual);
FOVEA_INSTANTIATE(InvertedResidualBackward);

}  // namespace fovea::reference
