// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "backend/reference/definition.h"

namespace fovea::reference {
namespace {

template <class Real>
Real sigmoid(Real x) {
  using std::exp;
  return Real(1) / (Real(1) + exp(-x));
}

/// log(1 + exp(x)): -log(1 - sigmoid(x)), and of -x: -log(sigmoid(x)). Without overflow.
template <class Real>
Real softplus(Real x) {
  using std::exp;
  using std::log;
  return x < Real(0) ? log(Real(1) + exp(x)) : x + log(Real(1) + exp(-x));
}

}  // namespace

template <class Real>
void define(const graph::SigmoidBinaryCrossEntropy& /*op*/, const Operands<Real>& t) {
  const auto logits = t.in[0], targets = t.in[1], weights = t.in[2];
  const auto loss = t.out[0], p = t.out[1];
  loss(0) = Real(0);
  for (std::int64_t n = 0; n < logits.positions(); ++n) {
    Real sum(0);
    for (std::int64_t k = 0; k < logits.channels(); ++k) {
      const Real z = logits(n, k);
      p(n, k) = sigmoid(z);
      sum += targets(n, k) * softplus(-z) + (Real(1) - targets(n, k)) * softplus(z);
    }
    loss(0) += weights(n) * sum;
  }
}

template <class Real>
void define(const graph::SigmoidBinaryCrossEntropyBackward& /*op*/, const Operands<Real>& t) {
  const auto p = t.in[0], targets = t.in[1], weights = t.in[2];
  const auto dlogits = t.out[0];
  for (std::int64_t n = 0; n < p.positions(); ++n) {
    for (std::int64_t k = 0; k < p.channels(); ++k) dlogits(n, k) = weights(n) * (p(n, k) - targets(n, k));
  }
}

FOVEA_INSTANTIATE(SigmoidBinaryCrossEntropy);
FOVEA_INSTANTIATE(SigmoidBinaryCrossEntropyBackward);

}  // namespace fovea::reference
