// Fovea: one change of a picture's colours or shape, decided: what the host and a device both follow.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace fovea {

struct PictureStep {
  enum class Kind : std::uint8_t {
    kNone,
    kTransform,   ///< by `map`
    kBrightness,  ///< `amount` is the factor, as of the next three
    kContrast,
    kSaturation,
    kSharpness,
    kHue,        ///< `amount` is the shift, of the full circle
    kPosterize,  ///< `amount` is the number of bits that are kept
    kSolarize,   ///< `amount` is the threshold
    kAutoContrast,
    kEqualize,
  };
  Kind kind = Kind::kNone;
  float amount = 0;
  double map[6] = {1, 0, 0, 0, 1, 0};  ///< as Affine, for a device that knows no std::array
};

}  // namespace fovea
