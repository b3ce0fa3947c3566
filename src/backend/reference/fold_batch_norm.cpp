// SPDX-License-Identifier: Apache-2.0
#include "backend/reference/definition.h"

namespace fovea::reference {

using std::sqrt;

template <class Real>
void define(const graph::FoldBatchNorm& op, const Operands<Real>& t) {
  const auto w = t.in[0], gamma = t.in[1], beta = t.in[2], mean = t.in[3], var = t.in[4];
  const auto folded = t.out[0], bias = t.out[1];
  const std::int64_t taps = w.size() / gamma.size();  // C R S of one filter
  for (std::int64_t k = 0; k < gamma.size(); ++k) {
    const Real scale = gamma(k) / sqrt(var(k) + Real(op.eps));
    for (std::int64_t i = k * taps; i < (k + 1) * taps; ++i) folded[i] = w[i] * scale;
    bias(k) = beta(k) - mean(k) * scale;
  }
}

template <class Real>
void define(const graph::FoldBatchNormBackward& op, const Operands<Real>& t) {
  const auto w = t.in[0], gamma = t.in[1], mean = t.in[2], var = t.in[3], dfolded = t.in[4], dbias = t.in[5];
  const auto dw = t.out[0], dgamma = t.out[1], dbeta = t.out[2];
  const std::int64_t taps = w.size() / gamma.size();
  for (std::int64_t k = 0; k < gamma.size(); ++k) {
    const Real s = sqrt(var(k) + Real(op.eps));
    Real sum(0);
    for (std::int64_t i = k * taps; i < (k + 1) * taps; ++i) {
      dw[i] = dfolded[i] * (gamma(k) / s);
      sum += dfolded[i] * w[i];
    }
    dgamma(k) = (sum - mean(k) * dbias(k)) / s;
    dbeta(k) = dbias(k);
  }
}

FOVEA_INSTANTIATE(FoldBatchNorm);
FOVEA_INSTANTIATE(FoldBatchNormBackward);

}  // namespace fovea::reference
