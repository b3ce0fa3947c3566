// SPDX-License-Identifier: Apache-2.0
#include "backend/reference/activation.h"
#include "backend/reference/compose.h"
#include "backend/reference/operand.h"

namespace fovea::reference {
namespace {

template <class Real>
void copy(Tensor<const Real> from, Tensor<Real> to) {
  for (std::int64_t i = 0; i < from.size(); ++i) to[i] = from[i];
}

/// The first half of a block, as both passes compute it. `inputs` begin with x, [we, ge, be]; `known`: me and se, or nothing
/// where they are to be computed.
template <class Real>
struct FirstHalf {
  FirstHalf(const graph::InvertedResidualTrain& op, std::span<const Tensor<const Real>> inputs,
            std::span<const Tensor<const Real>> known)
      : x(operand(inputs[0], op.precision)),
        we(operand(inputs[1], op.precision)),
        before(op.expands ? with_channels(inputs[0].shape(), inputs[1].shape()[0]) : Shape{0}),
        wide(x),
        mean(op.expands ? inputs[2].shape() : Shape{0}),
        var(mean.in().shape()) {
    if (!op.expands) return;
    Own<Real> after(before.in().shape());
    compute<Real, 2, 1>(graph::Conv2d{}, {x.in(), we.in()}, {before.out()});
    if (known.empty()) {
      compute<Real, 3, 3>(graph::BatchNormTrain{op.eps, op.activation}, {before.in(), inputs[2], inputs[3]},
                          {after.out(), mean.out(), var.out()});
    } else {
      Own<Real> normalised(before.in().shape());
      copy(known[0], mean.out());
      copy(known[1], var.out());
      compute<Real, 5, 1>(graph::BatchNorm{op.eps}, {before.in(), inputs[2], inputs[3], mean.in(), var.in()}, {normalised.out()});
      compute<Real, 1, 1>(graph::Activate{op.activation}, {normalised.in()}, {after.out()});
    }
    wide = operand(after.in(), op.precision);
  }
  Own<Real> x, we;
  Own<Real> before;  ///< sums, where x is expanded
  Own<Real> wide;    ///< what the depthwise convolution reads
  Own<Real> mean, var;
};

}  // namespace

template <class Real>
void define(const graph::InvertedResidualTrain& op, const Operands<Real>& t) {
  const std::size_t wd = depthwise_weight(op);
  const Tensor<Real> y = t.out[0], v = t.out[1], mean = t.out[t.out.size() - 2], var = t.out.back();
  const FirstHalf<Real> first(op, t.in, {});
  if (op.expands) {
    copy(first.mean.in(), t.out[2]);
    copy(first.var.in(), t.out[3]);
  }
  compute<Real, 2, 1>(graph::DepthwiseConv2d{op.window}, {first.wide.in(), operand(t.in[wd], op.precision).in()}, {v});
  const Own<Real> rounded = operand(Tensor<const Real>(&v[0], v.shape()), op.precision);
  copy(rounded.in(), v);
  Own<Real> filtered(v.shape());
  compute<Real, 3, 3>(graph::BatchNormTrain{op.eps, op.activation}, {rounded.in(), t.in[wd + 1], t.in[wd + 2]},
                      {filtered.out(), mean, var});
  compute<Real, 2, 1>(graph::Conv2d{}, {operand(filtered.in(), op.precision).in(), operand(t.in[wd + 3], op.precision).in()},
                      {y});
}

template <class Real>
void define(const graph::InvertedResidualTrainBackward& o, const Operands<Real>& t) {
  const graph::InvertedResidualTrain& op = o.forward;
  const std::size_t wd = depthwise_weight(op);
  const Tensor<const Real> x = t.in[0], gamma = t.in[wd + 1], beta = t.in[wd + 2];
  const std::size_t md = depthwise_mean(op);
  const Tensor<const Real> mean = t.in[md], var = t.in[md + 1];
  const Own<Real> kept = operand(t.in[wd + 4], op.precision);
  const Tensor<const Real> v = kept.in();
  const Own<Real> wp = operand(t.in[wd + 3], op.precision), dy = operand(t.in[md + 2], op.precision);

  // Through the last convolution.
  Own<Real> normalised(v.shape()), filtered(v.shape()), dfiltered(v.shape()), dv(v.shape());
  compute<Real, 5, 1>(graph::BatchNorm{op.eps}, {v, gamma, beta, mean, var}, {normalised.out()});
  compute<Real, 1, 1>(graph::Activate{op.activation}, {normalised.in()}, {filtered.out()});
  compute<Real, 2, 1>(graph::Conv2dBackwardWeight{}, {operand(filtered.in(), op.precision).in(), dy.in()}, {t.out[wd + 3]});
  compute<Real, 2, 1>(graph::Conv2dBackwardInput{{}, v.shape()}, {dy.in(), wp.in()}, {dfiltered.out()});
  compute<Real, 6, 3>(graph::BatchNormTrainBackward{op.eps, op.activation}, {v, gamma, beta, mean, var, dfiltered.in()},
                      {dv.out(), t.out[wd + 1], t.out[wd + 2]});
  dv = operand(dv.in(), op.precision);

  // Through the depthwise one, and the first.
  const FirstHalf<Real> first(op, t.in, t.in.subspan(wd + 5, md - wd - 5));
  Own<Real> no_bias(gamma.shape()), wide(first.wide.in().shape());
  compute<Real, 4, 3>(graph::DepthwiseConv2dBackward{op.window},
                      {first.wide.in(), operand(t.in[wd], op.precision).in(), dv.in(), dv.in()},
                      {wide.out(), t.out[wd], no_bias.out()});
  if (!op.expands) return copy(wide.in(), t.out[0]);
  for (std::int64_t i = 0; i < wide.in().size(); ++i) wide.out()[i] *= slope(op.activation, Real(first.wide.in()[i]));
  const Own<Real> before_activation = operand(wide.in(), op.precision);
  Own<Real> before(first.before.in().shape());
  compute<Real, 6, 3>(graph::BatchNormTrainBackward{op.eps},
                      {first.before.in(), t.in[2], t.in[3], first.mean.in(), first.var.in(), before_activation.in()},
                      {before.out(), t.out[2], t.out[3]});
  before = operand(before.in(), op.precision);
  compute<Real, 2, 1>(graph::Conv2dBackwardWeight{}, {first.x.in(), before.in()}, {t.out[1]});
  compute<Real, 2, 1>(graph::Conv2dBackwardInput{{}, x.shape()}, {before.in(), first.we.in()}, {t.out[0]});
}

FOVEA_INSTANTIATE(InvertedResidualTrain);
FOVEA_INSTANTIATE(InvertedResidualTrainBackward);

}  // namespace fovea::reference
