// Fovea: activations and their derivatives.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

#include "backend/reference/rounded.h"
#include "graph/ops.h"

namespace fovea::reference {

/// 1 where low < x < high, else 0.
inline double between(double x, double low, double high) { return x > low && x < high ? 1 : 0; }

/// An x that rounding may carry over an edge makes the answer uncertain by all of 1. The margin is a float's, the type tested
/// here.
inline Rounded between(Rounded x, double low, double high) {
  constexpr double kUnit = 0x1p-24;
  constexpr double kSafety = 8;
  const double distance = std::min(std::abs(x.value - low), std::abs(x.value - high));
  return {between(x.value, low, high), distance < kSafety * kUnit * x.error ? 1 / kUnit : 0};
}

template <class Real>
Real sigmoid(Real x) {
  using std::exp;
  return Real(1) / (Real(1) + exp(-x));
}

/// Silus of a convolution that keeps slopes in bf16 may be made with a sigmoid that is off by so much of itself: a 30th of the
/// half step by which a result is rounded that is kept in bf16.
inline constexpr double kCoarseSigmoid = 0x1.1p-14;

/// x, which may be off by `by`.
inline double off_by(double x, double /*by*/) { return x; }
inline Rounded off_by(Rounded x, double by) {
  constexpr double kUnit = 0x1p-24;
  return {x.value, x.error + by / kUnit};
}
inline double value_of(double x) { return x; }
inline double value_of(Rounded x) { return x.value; }

/// silu(x) and silu'(x) from one sigmoid, which may be off by `coarse` of itself.
template <class Real>
struct Silu {
  Real value, slope;
  explicit Silu(Real x, double coarse = 0) {
    const Real s = sigmoid(x);
    const double exact = value_of(s), by = coarse * exact;
    value = off_by(x * s, by * std::abs(value_of(x)));
    slope = off_by(s * (Real(1) + x * (Real(1) - s)), by * std::abs(1 + value_of(x) * (1 - 2 * exact)));
  }
};

template <class Real>
Real activate(graph::Activation activation, Real x) {
  switch (activation) {
    case graph::Activation::kNone: return x;
    case graph::Activation::kRelu: return std::max(x, Real(0));
    case graph::Activation::kRelu6: return std::min(std::max(x, Real(0)), Real(6));
    case graph::Activation::kSilu: return Silu<Real>(x).value;
  }
  return x;
}

/// The derivative of the activation at its input x. For relu and relu6 its output serves as well: both lie between the same
/// edges, where the derivative is 0.
template <class Real>
Real slope(graph::Activation activation, Real x) {
  switch (activation) {
    case graph::Activation::kNone: return Real(1);
    case graph::Activation::kRelu: return between(x, 0, std::numeric_limits<double>::infinity());
    case graph::Activation::kRelu6: return between(x, 0, 6);
    case graph::Activation::kSilu: return Silu<Real>(x).slope;
  }
  return Real(1);
}

}  // namespace fovea::reference
