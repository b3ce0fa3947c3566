// SPDX-License-Identifier: Apache-2.0
#include "backend/reference/softmax.h"

#include "backend/reference/definition.h"

namespace fovea::reference {

template <class Real>
void define(const graph::Softmax& /*op*/, const Operands<Real>& t) {
  const auto x = t.in[0];
  const auto p = t.out[0];
  for (std::int64_t n = 0; n < x.positions(); ++n) {
    const SoftmaxTerms<Real> terms(x.channels(), [&](std::int64_t k) { return x(n, k); });
    for (std::int64_t k = 0; k < x.channels(); ++k) p(n, k) = terms.probability(x(n, k));
  }
}

template <class Real>
void define(const graph::SoftmaxCrossEntropy& /*op*/, const Operands<Real>& t) {
  const auto logits = t.in[0], targets = t.in[1], weights = t.in[2];
  const auto loss = t.out[0], p = t.out[1];
  loss(0) = Real(0);
  for (std::int64_t n = 0; n < logits.positions(); ++n) {
    const SoftmaxTerms<Real> terms(logits.channels(), [&](std::int64_t k) { return logits(n, k); });
    Real sum(0);
    for (std::int64_t k = 0; k < logits.channels(); ++k) {
      p(n, k) = terms.probability(logits(n, k));
      sum += targets(n, k) * -terms.log_probability(logits(n, k));
    }
    loss(0) += weights(n) * sum;
  }
}

template <class Real>
void define(const graph::SoftmaxCrossEntropyBackward& /*op*/, const Operands<Real>& t) {
  const auto p = t.in[0], targets = t.in[1], weights = t.in[2];
  const auto dlogits = t.out[0];
  for (std::int64_t n = 0; n < p.positions(); ++n) {
    Real total(0);
    for (std::int64_t k = 0; k < p.channels(); ++k) total += targets(n, k);
    for (std::int64_t k = 0; k < p.channels(); ++k) dlogits(n, k) = weights(n) * (p(n, k) * total - targets(n, k));
  }
}

FOVEA_INSTANTIATE(Softmax);
FOVEA_INSTANTIATE(SoftmaxCrossEntropy);
FOVEA_INSTANTIATE(SoftmaxCrossEntropyBackward);

}  // namespace fovea::reference
