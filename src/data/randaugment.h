// Fovea: RandAugment (Cubuk et al., NeurIPS 2020), with torchvision's operations and ranges.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "core/picture_step.h"
#include "core/rng.h"
#include "image/image.h"

namespace fovea {

enum class AugmentOp : std::uint8_t {
  kIdentity,
  kShearX,
  kShearY,
  kTranslateX,
  kTranslateY,
  kRotate,
  kBrightness,
  kColor,
  kContrast,
  kSharpness,
  kPosterize,
  kSolarize,
  kAutoContrast,
  kEqualize,
};
inline constexpr std::uint32_t kAugmentOps = 14;
/// Magnitudes are bins 0 to 30 of each operation's range.
inline constexpr int kLargestMagnitude = 30;

/// What an operation does to a picture of width x height; `negative` turns those that have a direction round.
[[nodiscard]] PictureStep step_of(AugmentOp op, int magnitude, bool negative, int width, int height);
void apply(Image& image, const PictureStep& step);
/// Both.
void apply_op(Image& image, AugmentOp op, int magnitude, bool negative);

/// `count` operations drawn uniformly, with replacement, each in a random direction.
[[nodiscard]] std::vector<PictureStep> draw_randaugment(int count, int magnitude, int width, int height, Rng& rng);

}  // namespace fovea
