// Fovea: rounding to bf16, eight significant bits, as the definitions of mixed-precision ops ask for it.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>

#include "backend/reference/rounded.h"

namespace fovea::reference {

/// To the nearest, ties to even.
inline double to_bf16(double x) {
  int exponent = 0;
  const double fraction = std::frexp(x, &exponent);
  return std::ldexp(std::nearbyint(std::ldexp(fraction, 8)), exponent - 8);
}

/// A float computation that may fall on either side of a boundary may be off by a step; one that cannot is exact again.
inline Rounded to_bf16(Rounded x) {
  constexpr double kUnit = 0x1p-24;  // a float's, the type tested here
  const double margin = kUnit * x.error;
  const double value = to_bf16(x.value);
  const double off = std::max(std::abs(to_bf16(x.value - margin) - value), std::abs(to_bf16(x.value + margin) - value));
  return {value, off / kUnit};
}

}  // namespace fovea::reference
