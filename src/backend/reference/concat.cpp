// SPDX-License-Identifier: Apache-2.0
#include "backend/reference/definition.h"

namespace fovea::reference {

template <class Real>
void define(const graph::Concat& /*op*/, const Operands<Real>& t) {
  const auto y = t.out[0];
  for (std::int64_t p = 0; p < y.positions(); ++p) {
    std::int64_t k = 0;
    for (const auto& x : t.in) {
      for (std::int64_t c = 0; c < x.channels(); ++c) y[p * y.channels() + k++] = x[p * x.channels() + c];
    }
  }
}

template <class Real>
void define(const graph::SliceChannels& op, const Operands<Real>& t) {
  const auto x = t.in[0];
  const auto y = t.out[0];
  for (std::int64_t p = 0; p < y.positions(); ++p) {
    for (std::int64_t c = 0; c < op.count; ++c) y[p * op.count + c] = x[p * x.channels() + op.begin + c];
  }
}

template <class Real>
void define(const graph::PadChannels& op, const Operands<Real>& t) {
  const auto x = t.in[0];
  const auto y = t.out[0];
  y.fill(0);
  for (std::int64_t p = 0; p < x.positions(); ++p) {
    for (std::int64_t c = 0; c < x.channels(); ++c) y[p * op.total + op.begin + c] = x[p * x.channels() + c];
  }
}

FOVEA_INSTANTIATE(Concat);
FOVEA_INSTANTIATE(SliceChannels);
FOVEA_INSTANTIATE(PadChannels);

}  // namespace fovea::reference
