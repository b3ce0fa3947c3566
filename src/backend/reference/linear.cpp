// SPDX-License-Identifier: Apache-2.0
#include "backend/reference/definition.h"

namespace fovea::reference {

template <class Real>
void define(const graph::Linear& /*op*/, const Operands<Real>& t) {
  const auto x = t.in[0], w = t.in[1], b = t.in[2];
  const auto y = t.out[0];
  for (std::int64_t n = 0; n < y.positions(); ++n) {
    for (std::int64_t k = 0; k < y.channels(); ++k) {
      y(n, k) = b(k);
      for (std::int64_t c = 0; c < x.channels(); ++c) y(n, k) += x(n, c) * w(k, c);
    }
  }
}

template <class Real>
void define(const graph::LinearBackwardInput& /*op*/, const Operands<Real>& t) {
  const auto dy = t.in[0], w = t.in[1];
  const auto dx = t.out[0];
  dx.fill(0);
  for (std::int64_t n = 0; n < dy.positions(); ++n) {
    for (std::int64_t k = 0; k < dy.channels(); ++k) {
      for (std::int64_t c = 0; c < dx.channels(); ++c) dx(n, c) += dy(n, k) * w(k, c);
    }
  }
}

template <class Real>
void define(const graph::LinearBackwardWeight& /*op*/, const Operands<Real>& t) {
  const auto x = t.in[0], dy = t.in[1];
  const auto dw = t.out[0], db = t.out[1];
  dw.fill(0);
  db.fill(0);
  for (std::int64_t n = 0; n < dy.positions(); ++n) {
    for (std::int64_t k = 0; k < dy.channels(); ++k) {
      db(k) += dy(n, k);
      for (std::int64_t c = 0; c < x.channels(); ++c) dw(k, c) += dy(n, k) * x(n, c);
    }
  }
}

FOVEA_INSTANTIATE(Linear);
FOVEA_INSTANTIATE(LinearBackwardInput);
FOVEA_INSTANTIATE(LinearBackwardWeight);

}  // namespace fovea::reference
