// SPDX-License-Identifier: Apache-2.0
#include "backend/reference/compose.h"
#include "backend/reference/operand.h"

namespace fovea::reference {
namespace {

/// The first half of a block that expands, as both passes compute it. `inputs` begin with x, we, ge, be.
template <class Real>
struct Expanded {
  Expanded(const graph::InvertedResidualTrain& op, std::span<const Tensor<const Real>> inputs)
      : before(with_channels(inputs[0].shape(), inputs[1].shape()[0])),
        after(before.in().shape()),
        mean(inputs[2].shape()),
        var(mean.in().shape()) {
    compute<Real, 2, 1>(graph::Conv2d{}, {inputs[0], inputs[1]}, {before.out()});
    compute<Real, 3, 3>(graph::BatchNormTrain{op.eps, op.activation}, {before.in(), inputs[2], inputs[3]},
                        {after.out(), mean.out(), var.out()});
  }
  Own<Real> before, after;
  Own<Real> mean, var;
};

template <class Real>
void copy(Tensor<const Real> from, Tensor<Real> to) {
  for (std::int64_t i = 0; i < from.size(); ++i) to[i] = from[i];
}

}  // namespace

template <class Real>
void define(const graph::InvertedResidualTrain& op, const Operands<Real>& t) {
  const std::size_t wd = depthwise_weight(op);
  const Tensor<Real> y = t.out[0], v = t.out[1], mean = t.out[t.out.size() - 2], var = t.out.back();
  const auto depthwise = [&](Tensor<const Real> x) {
    compute<Real, 2, 1>(graph::DepthwiseConv2d{op.window}, {x, t.in[wd]}, {v});
  };
  if (op.expands) {
    Expanded<Real> expanded(op, t.in);
    copy(expanded.mean.in(), t.out[2]);
    copy(expanded.var.in(), t.out[3]);
    depthwise(expanded.after.in());
  } else {
    depthwise(t.in[0]);
  }
  Own<Real> filtered(v.shape());
  compute<Real, 3, 3>(graph::BatchNormTrain{op.eps, op.activation},
                      {Tensor<const Real>(&v[0], v.shape()), t.in[wd + 1], t.in[wd + 2]}, {filtered.out(), mean, var});
  compute<Real, 2, 1>(graph::Conv2d{}, {filtered.in(), t.in[wd + 3]}, {y});
}

template <class Real>
void define(const graph::InvertedResidualTrainBackward& o, const Operands<Real>& t) {
  const graph::InvertedResidualTrain& op = o.forward;
  const std::size_t wd = depthwise_weight(op);
  const Tensor<const Real> x = t.in[0], gamma = t.in[wd + 1], beta = t.in[wd + 2], wp = t.in[wd + 3];
  const Tensor<const Real> v = t.in[wd + 4], mean = t.in[wd + 5], var = t.in[wd + 6], dy = t.in[wd + 7];

  // Through the last convolution.
  Own<Real> normalised(v.shape()), filtered(v.shape()), dfiltered(v.shape()), dv(v.shape());
  compute<Real, 5, 1>(graph::BatchNorm{op.eps}, {v, gamma, beta, mean, var}, {normalised.out()});
  compute<Real, 1, 1>(graph::Activate{op.activation}, {normalised.in()}, {filtered.out()});
  compute<Real, 2, 1>(graph::Conv2dBackwardWeight{}, {filtered.in(), dy}, {t.out[wd + 3]});
  compute<Real, 2, 1>(graph::Conv2dBackwardInput{{}, v.shape()}, {dy, wp}, {dfiltered.out()});
  compute<Real, 6, 3>(graph::BatchNormTrainBackward{op.eps, op.activation}, {v, gamma, beta, mean, var, dfiltered.in()},
                      {dv.out(), t.out[wd + 1], t.out[wd + 2]});

  // Through the depthwise one, and the first.
  Own<Real> no_bias(gamma.shape());
  const auto depthwise = [&](Tensor<const Real> seen, Tensor<Real> gradient) {
    compute<Real, 4, 3>(graph::DepthwiseConv2dBackward{op.window}, {seen, t.in[wd], dv.in(), dv.in()},
                        {gradient, t.out[wd], no_bias.out()});
  };
  if (!op.expands) return depthwise(x, t.out[0]);
  Expanded<Real> expanded(op, t.in);
  Own<Real> after(expanded.after.in().shape()), before(after.in().shape());
  depthwise(expanded.after.in(), after.out());
  compute<Real, 6, 3>(graph::BatchNormTrainBackward{op.eps, op.activation},
                      {expanded.before.in(), t.in[2], t.in[3], expanded.mean.in(), expanded.var.in(), after.in()},
                      {before.out(), t.out[2], t.out[3]});
  compute<Real, 2, 1>(graph::Conv2dBackwardWeight{}, {x, before.in()}, {t.out[1]});
  compute<Real, 2, 1>(graph::Conv2dBackwardInput{{}, x.shape()}, {before.in(), t.in[1]}, {t.out[0]});
}

FOVEA_INSTANTIATE(InvertedResidualTrain);
FOVEA_INSTANTIATE(InvertedResidualTrainBackward);

}  // namespace fovea::reference
