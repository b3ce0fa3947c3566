// SPDX-License-Identifier: Apache-2.0
#include "backend/reference/definition.h"
#include "core/dropout_mask.h"

namespace fovea::reference {

template <class Real>
void define(const graph::Dropout& op, const Operands<Real>& t) {
  const auto x = t.in[0];
  const auto y = t.out[0];
  const DropoutMask mask(t.state.seed, t.state.step, op.stream, op.rate);
  const std::int64_t first = t.state.first_row * (x.size() / x.shape()[0]);
  for (std::int64_t i = 0; i < x.size(); ++i) y[i] = mask.keeps(first + i) ? x[i] / (Real(1) - Real(op.rate)) : Real(0);
}

FOVEA_INSTANTIATE(Dropout);

}  // namespace fovea::reference
