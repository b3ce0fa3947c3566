// SPDX-License-Identifier: Apache-2.0
#include "backend/reference/definition.h"

namespace fovea::reference {

template <class Real>
void define(const graph::Add& /*op*/, const Operands<Real>& t) {
  const auto y = t.out[0];
  for (std::int64_t i = 0; i < y.size(); ++i) y[i] = t.in[0][i] + t.in[1][i];
}

FOVEA_INSTANTIATE(Add);

}  // namespace fovea::reference
