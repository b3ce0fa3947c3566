// Fovea: rounding to fewer significant bits, as the definitions of mixed-precision ops ask for it.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

#include "backend/reference/rounded.h"
#include "core/dtype.h"
#include "graph/ops.h"

namespace fovea::reference {

/// Binary floating-point numbers with so many significant bits, all of them multiples of 2^step, up to `most`.
struct Format {
  int bits;
  int step;
  double most;
};
inline constexpr Format kBf16{8, -133, 0x1.FEp127};
inline constexpr Format kTf32{11, -136, 0x1.FFCp127};
inline constexpr Format kFp16{11, -24, 65504};

/// Of an operand that is rounded, and of a value that is kept in 16 bits.
constexpr Format format_of(graph::Precision precision) {
  if (precision == graph::Precision::kTF32) return kTf32;
  return precision == graph::Precision::kFP16 ? kFp16 : kBf16;
}
constexpr Format format_of(DType kept) { return kept == DType::kF16 ? kFp16 : kBf16; }

/// To the nearest, ties to even; to infinity from half a step above the largest on (IEEE 754, section 4.3.1).
inline double round_to(double x, const Format& format) {
  if (x == 0 || !std::isfinite(x)) return x;
  int exponent = 0;
  (void)std::frexp(x, &exponent);
  const int step = std::max(exponent - format.bits, format.step);
  const double rounded = std::ldexp(std::nearbyint(std::ldexp(x, -step)), step);
  return std::abs(rounded) > format.most ? std::copysign(std::numeric_limits<double>::infinity(), x) : rounded;
}

/// A float computation that may fall on either side of a boundary may be off by a step; one that cannot is exact again.
inline Rounded round_to(Rounded x, const Format& format) {
  constexpr double kUnit = 0x1p-24;  // a float's, the type tested here
  const double margin = kUnit * x.error;
  const double value = round_to(x.value, format);
  const auto off = [&](double other) { return other == value ? 0 : std::abs(other - value); };
  return {value, std::max(off(round_to(x.value - margin, format)), off(round_to(x.value + margin, format))) / kUnit};
}

}  // namespace fovea::reference
