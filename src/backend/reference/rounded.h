// Fovea: a number that knows how far a float computation of it may be off.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>

namespace fovea::reference {

/// An exact value (to double) with a bound on the error that single operations rounded to a shorter type would have gathered on
/// the way to it: a running error analysis (Wilkinson; Higham, "Accuracy and Stability of Numerical Algorithms", section 3.3).
/// Errors are counted in unit roundoffs, so one evaluation serves every type; terms of second order are left out.
///
/// Computing an op over Rounded gives the tolerance of every element of its outputs: from the data, the length of its sums and
/// its cancellations, not from taste. Addition charges the larger of both terms and the sum, so that the terms may come in
/// another order; exp and log are granted kLibraryError units.
struct Rounded {
  double value = 0;
  double error = 0;  ///< in unit roundoffs

  static constexpr double kLibraryError = 4;

  Rounded() = default;
  Rounded(double exact) : value(exact) {}  // NOLINT(google-explicit-constructor): numbers mix with Rounded as with double
  Rounded(double v, double e) : value(v), error(e) {}

  friend Rounded operator+(Rounded a, Rounded b) {
    const double sum = a.value + b.value;
    return {sum, a.error + b.error + std::max({std::abs(a.value), std::abs(b.value), std::abs(sum)})};
  }
  friend Rounded operator-(Rounded a) { return {-a.value, a.error}; }
  friend Rounded operator-(Rounded a, Rounded b) { return a + -b; }
  friend Rounded operator*(Rounded a, Rounded b) {
    const double product = a.value * b.value;
    return {product, std::abs(a.value) * b.error + std::abs(b.value) * a.error + std::abs(product)};
  }
  friend Rounded operator/(Rounded a, Rounded b) {
    const double quotient = a.value / b.value;
    return {quotient, (a.error + std::abs(quotient) * b.error) / std::abs(b.value) + std::abs(quotient)};
  }
  Rounded& operator+=(Rounded b) { return *this = *this + b; }
  Rounded& operator*=(Rounded b) { return *this = *this * b; }
  friend bool operator<(Rounded a, Rounded b) { return a.value < b.value; }

  friend Rounded sqrt(Rounded a) {
    const double root = std::sqrt(a.value);
    return {root, a.error / (2 * root) + root};
  }
  friend Rounded exp(Rounded a) {
    const double power = std::exp(a.value);
    return {power, power * (a.error + kLibraryError)};
  }
  friend Rounded log(Rounded a) {
    const double logarithm = std::log(a.value);
    return {logarithm, a.error / std::abs(a.value) + kLibraryError * std::abs(logarithm)};
  }
};

}  // namespace fovea::reference
