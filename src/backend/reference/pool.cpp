// SPDX-License-Identifier: Apache-2.0
#include "backend/reference/definition.h"

namespace fovea::reference {

template <class Real>
void define(const graph::GlobalAveragePool& /*op*/, const Operands<Real>& t) {
  const auto x = t.in[0];
  const auto y = t.out[0];
  const std::int64_t height = x.shape()[1], width = x.shape()[2];
  for (std::int64_t n = 0; n < y.positions(); ++n) {
    for (std::int64_t c = 0; c < y.channels(); ++c) {
      Real sum(0);
      for (std::int64_t h = 0; h < height; ++h) {
        for (std::int64_t w = 0; w < width; ++w) sum += x(n, h, w, c);
      }
      y(n, c) = sum / Real(static_cast<double>(height * width));
    }
  }
}

template <class Real>
void define(const graph::GlobalAveragePoolBackward& op, const Operands<Real>& t) {
  const auto dy = t.in[0];
  const auto dx = t.out[0];
  for (std::int64_t n = 0; n < dy.positions(); ++n) {
    for (std::int64_t h = 0; h < op.height; ++h) {
      for (std::int64_t w = 0; w < op.width; ++w) {
        for (std::int64_t c = 0; c < dy.channels(); ++c) {
          dx(n, h, w, c) = dy(n, c) / Real(static_cast<double>(op.height * op.width));
        }
      }
    }
  }
}

FOVEA_INSTANTIATE(GlobalAveragePool);
FOVEA_INSTANTIATE(GlobalAveragePoolBackward);

}  // namespace fovea::reference
