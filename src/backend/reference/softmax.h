// Fovea: the softmax of one row.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace fovea::reference {

/// The largest element and the sum of exp(x[i] - largest): what a softmax, or its logarithm, is made of without overflow.
template <class Real>
struct SoftmaxTerms {
  Real largest;
  Real sum;

  /// `x(i)` gives element i of `count`, at least 1.
  template <class Element>
  SoftmaxTerms(std::int64_t count, const Element& x) : largest(x(0)), sum(0) {
    using std::exp;
    for (std::int64_t i = 1; i < count; ++i) largest = std::max(largest, Real(x(i)));
    for (std::int64_t i = 0; i < count; ++i) sum += exp(x(i) - largest);
  }
  Real probability(Real x) const {
    using std::exp;
    return exp(x - largest) / sum;
  }
  Real log_probability(Real x) const {
    using std::log;
    return x - largest - log(sum);
  }
};

}  // namespace fovea::reference
