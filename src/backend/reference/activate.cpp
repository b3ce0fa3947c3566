// SPDX-License-Identifier: Apache-2.0
#include "backend/reference/activation.h"
#include "backend/reference/definition.h"

namespace fovea::reference {

template <class Real>
void define(const graph::Activate& op, const Operands<Real>& t) {
  const auto x = t.in[0];
  const auto y = t.out[0];
  for (std::int64_t i = 0; i < x.size(); ++i) {
    if (op.keeps_slope) t.out[1][i] = slope(op.activation, x[i]);
    y[i] = activate(op.activation, x[i]);
  }
}

template <class Real>
void define(const graph::ActivateBackward& op, const Operands<Real>& t) {
  const auto saved = t.in[0], dy = t.in[1];
  const auto dx = t.out[0];
  for (std::int64_t i = 0; i < dy.size(); ++i) dx[i] = dy[i] * (op.by_slope ? saved[i] : slope(op.activation, saved[i]));
}

FOVEA_INSTANTIATE(Activate);
FOVEA_INSTANTIATE(ActivateBackward);

}  // namespace fovea::reference
