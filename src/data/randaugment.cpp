// SPDX-License-Identifier: Apache-2.0
#include "data/randaugment.h"

#include <cmath>

#include "data/affine.h"
#include "data/colour.h"

namespace fovea {
namespace {

constexpr double kLargestShear = 0.3;
constexpr double kLargestShift = 150.0 / 331;  // of the side
constexpr double kLargestAngle = 30;
constexpr double kLargestChange = 0.9;

}  // namespace

void apply_op(Image& image, AugmentOp op, int magnitude, bool negative) {
  const double part = static_cast<double>(magnitude) / kLargestMagnitude * (negative ? -1 : 1);
  const auto shift = [&](int side) { return std::trunc(kLargestShift * side * part); };
  const auto factor = static_cast<float>(1 + kLargestChange * part);
  switch (op) {
    case AugmentOp::kIdentity: break;
    case AugmentOp::kShearX: image = transform(image, shear_x(kLargestShear * part)); break;
    case AugmentOp::kShearY: image = transform(image, shear_y(kLargestShear * part)); break;
    case AugmentOp::kTranslateX: image = transform(image, translate(shift(image.width), 0)); break;
    case AugmentOp::kTranslateY: image = transform(image, translate(0, shift(image.height))); break;
    case AugmentOp::kRotate: image = transform(image, rotate(kLargestAngle * part, image.width, image.height)); break;
    case AugmentOp::kBrightness: adjust_brightness(image, factor); break;
    case AugmentOp::kColor: adjust_saturation(image, factor); break;
    case AugmentOp::kContrast: adjust_contrast(image, factor); break;
    case AugmentOp::kSharpness: adjust_sharpness(image, factor); break;
    case AugmentOp::kPosterize: posterize(image, 8 - static_cast<int>(std::nearbyint(magnitude / 7.5))); break;
    case AugmentOp::kSolarize: solarize(image, 255 * (1 - static_cast<float>(magnitude) / kLargestMagnitude)); break;
    case AugmentOp::kAutoContrast: auto_contrast(image); break;
    case AugmentOp::kEqualize: equalize(image); break;
  }
}

void randaugment(Image& image, int count, int magnitude, Rng& rng) {
  for (int i = 0; i < count; ++i) {
    const auto op = static_cast<AugmentOp>(rng.below(kAugmentOps));
    apply_op(image, op, magnitude, rng.chance(0.5F));
  }
}

}  // namespace fovea
