// Fovea: rounding to fewer significant bits, as the definitions of mixed-precision ops ask for it.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>

#include "backend/reference/rounded.h"

namespace fovea::reference {

/// To the nearest, ties to even.
inline double round_to(double x, int bits) {
  int exponent = 0;
  const double fraction = std::frexp(x, &exponent);
  return std::ldexp(std::nearbyint(std::ldexp(fraction, bits)), exponent - bits);
}

/// A float computation that may fall on either side of a boundary may be off by a step; one that cannot is exact again.
inline Rounded round_to(Rounded x, int bits) {
  constexpr double kUnit = 0x1p-24;  // a float's, the type tested here
  const double margin = kUnit * x.error;
  const double value = round_to(x.value, bits);
  const double off =
      std::max(std::abs(round_to(x.value - margin, bits) - value), std::abs(round_to(x.value + margin, bits) - value));
  return {value, off / kUnit};
}

inline constexpr int kBitsOfBf16 = 8;
inline constexpr int kBitsOfTf32 = 11;

template <class Real>
Real to_bf16(Real x) {
  return round_to(x, kBitsOfBf16);
}

}  // namespace fovea::reference
