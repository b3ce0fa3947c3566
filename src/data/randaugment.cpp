// SPDX-License-Identifier: Apache-2.0
#include "data/randaugment.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "data/affine.h"
#include "data/colour.h"

namespace fovea {
namespace {

constexpr double kLargestShear = 0.3;
constexpr double kLargestShift = 150.0 / 331;  // of the side
constexpr double kLargestAngle = 30;
constexpr double kLargestChange = 0.9;

PictureStep transform_by(const Affine& map) {
  PictureStep step{.kind = PictureStep::Kind::kTransform};
  std::ranges::copy(map, step.map);
  return step;
}

}  // namespace

PictureStep step_of(AugmentOp op, int magnitude, bool negative, int width, int height) {
  using Kind = PictureStep::Kind;
  const double part = static_cast<double>(magnitude) / kLargestMagnitude * (negative ? -1 : 1);
  const auto shift = [&](int side) { return std::trunc(kLargestShift * side * part); };
  const auto factor = static_cast<float>(1 + kLargestChange * part);
  switch (op) {
    case AugmentOp::kIdentity: break;
    case AugmentOp::kShearX: return transform_by(shear_x(kLargestShear * part));
    case AugmentOp::kShearY: return transform_by(shear_y(kLargestShear * part));
    case AugmentOp::kTranslateX: return transform_by(translate(shift(width), 0));
    case AugmentOp::kTranslateY: return transform_by(translate(0, shift(height)));
    case AugmentOp::kRotate: return transform_by(rotate(kLargestAngle * part, width, height));
    case AugmentOp::kBrightness: return {Kind::kBrightness, factor};
    case AugmentOp::kColor: return {Kind::kSaturation, factor};
    case AugmentOp::kContrast: return {Kind::kContrast, factor};
    case AugmentOp::kSharpness: return {Kind::kSharpness, factor};
    case AugmentOp::kPosterize: return {Kind::kPosterize, static_cast<float>(8 - std::nearbyint(magnitude / 7.5))};
    case AugmentOp::kSolarize: return {Kind::kSolarize, 255 * (1 - static_cast<float>(magnitude) / kLargestMagnitude)};
    case AugmentOp::kAutoContrast: return {Kind::kAutoContrast};
    case AugmentOp::kEqualize: return {Kind::kEqualize};
  }
  return {};
}

void apply(Image& image, const PictureStep& step) {
  using Kind = PictureStep::Kind;
  switch (step.kind) {
    case Kind::kNone: break;
    case Kind::kTransform: image = transform(image, std::to_array(step.map)); break;
    case Kind::kBrightness: adjust_brightness(image, step.amount); break;
    case Kind::kContrast: adjust_contrast(image, step.amount); break;
    case Kind::kSaturation: adjust_saturation(image, step.amount); break;
    case Kind::kSharpness: adjust_sharpness(image, step.amount); break;
    case Kind::kHue: shift_hue(image, step.amount); break;
    case Kind::kPosterize: posterize(image, static_cast<int>(step.amount)); break;
    case Kind::kSolarize: solarize(image, step.amount); break;
    case Kind::kAutoContrast: auto_contrast(image); break;
    case Kind::kEqualize: equalize(image); break;
  }
}

void apply_op(Image& image, AugmentOp op, int magnitude, bool negative) {
  apply(image, step_of(op, magnitude, negative, image.width, image.height));
}

std::vector<PictureStep> draw_randaugment(int count, int magnitude, int width, int height, Rng& rng) {
  std::vector<PictureStep> steps;
  for (int i = 0; i < count; ++i) {
    const auto op = static_cast<AugmentOp>(rng.below(kAugmentOps));
    steps.push_back(step_of(op, magnitude, rng.chance(0.5F), width, height));
  }
  return steps;
}

}  // namespace fovea
