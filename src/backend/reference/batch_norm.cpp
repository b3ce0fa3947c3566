// SPDX-License-Identifier: Apache-2.0
#include "backend/reference/activation.h"
#include "backend/reference/definition.h"

namespace fovea::reference {

using std::sqrt;

template <class Real>
void define(const graph::BatchNorm& op, const Operands<Real>& t) {
  const auto x = t.in[0], gamma = t.in[1], beta = t.in[2], mean = t.in[3], var = t.in[4];
  const auto y = t.out[0];
  for (std::int64_t i = 0; i < x.size(); ++i) {
    const std::int64_t c = i % x.channels();
    y[i] = (x[i] - mean(c)) / sqrt(var(c) + Real(op.eps)) * gamma(c) + beta(c);
  }
}

template <class Real>
void define(const graph::BatchNormTrain& op, const Operands<Real>& t) {
  const auto x = t.in[0], gamma = t.in[1], beta = t.in[2];
  const auto y = t.out[0], mean = t.out[1], var = t.out[2];
  const Real count(static_cast<double>(x.positions()));
  for (std::int64_t c = 0; c < x.channels(); ++c) {
    const std::int64_t step = x.channels();
    Real sum(0);
    for (std::int64_t i = c; i < x.size(); i += step) sum += x[i];
    mean(c) = sum / count;
    Real squares(0);
    for (std::int64_t i = c; i < x.size(); i += step) squares += (x[i] - mean(c)) * (x[i] - mean(c));
    var(c) = squares / count;
    const Real s = sqrt(var(c) + Real(op.eps));
    for (std::int64_t i = c; i < x.size(); i += step) y[i] = activate(op.activation, (x[i] - mean(c)) / s * gamma(c) + beta(c));
  }
}

template <class Real>
void define(const graph::BatchNormTrainBackward& op, const Operands<Real>& t) {
  const auto x = t.in[0], gamma = t.in[1], beta = t.in[2], mean = t.in[3], var = t.in[4], dy = t.in[5];
  const auto dx = t.out[0], dgamma = t.out[1], dbeta = t.out[2];
  const Real count(static_cast<double>(x.positions()));
  for (std::int64_t c = 0; c < x.channels(); ++c) {
    const Real s = sqrt(var(c) + Real(op.eps));
    const auto normalised = [&](std::int64_t i) { return (x[i] - mean(c)) / s; };
    const auto dz = [&](std::int64_t i) { return dy[i] * slope(op.activation, normalised(i) * gamma(c) + beta(c)); };
    Real sum(0), product(0);
    for (std::int64_t i = c; i < x.size(); i += x.channels()) {
      sum += dz(i);
      product += dz(i) * normalised(i);
    }
    dbeta(c) = sum;
    dgamma(c) = product;
    // Through the mean and the variance too, which depend on every element of the channel.
    for (std::int64_t i = c; i < x.size(); i += x.channels()) {
      dx[i] = gamma(c) / s * (dz(i) - sum / count - normalised(i) * product / count);
    }
  }
}

template <class Real>
void define(const graph::UpdateRunningStatistics& op, const Operands<Real>& t) {
  const auto mean = t.in[0], var = t.in[1];
  const auto running_mean = t.out[0], running_var = t.out[1];
  const Real momentum(op.momentum);
  const Real unbias = Real(static_cast<double>(op.count)) / Real(static_cast<double>(op.count - 1));
  for (std::int64_t c = 0; c < mean.size(); ++c) {
    running_mean(c) = (Real(1) - momentum) * running_mean(c) + momentum * mean(c);
    running_var(c) = (Real(1) - momentum) * running_var(c) + momentum * (var(c) * unbias);
  }
}

FOVEA_INSTANTIATE(BatchNorm);
FOVEA_INSTANTIATE(BatchNormTrain);
FOVEA_INSTANTIATE(BatchNormTrainBackward);
FOVEA_INSTANTIATE(UpdateRunningStatistics);

}  // namespace fovea::reference
