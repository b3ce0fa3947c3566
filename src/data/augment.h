// Fovea: random variations of training photos. Every draw comes from an Rng keyed by (seed, epoch, sample), so
// the result does not depend on which worker makes it.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "core/picture_step.h"
#include "core/rng.h"
#include "image/image.h"
#include "image/preprocess.h"

namespace fovea {

enum class AugmentStrength : std::uint8_t { kNone, kLight, kMedium, kStrong };

[[nodiscard]] std::string_view name_of(AugmentStrength strength);
[[nodiscard]] std::optional<AugmentStrength> augment_strength_from(std::string_view name);

/// What may happen to a photo, in the order in which it happens. The default does nothing but fit.
struct AugmentPolicy {
  bool random_crop = false;  ///< random resized crop; area and aspect by torchvision's rules
  float min_area = 1;        ///< smallest part of the photo's area that a crop keeps
  float max_area = 1;
  float max_aspect = 4.0F / 3;  ///< aspect log-uniform in [1 / max_aspect, max_aspect]
  float horizontal_flip = 0;    ///< probability
  float vertical_flip = 0;
  int randaugment_ops = 0;        ///< operations per photo; 0: none
  int randaugment_magnitude = 9;  ///< 0 to 30
  float brightness = 0;           ///< factor uniform in [1 - b, 1 + b], as are contrast and saturation
  float contrast = 0;
  float saturation = 0;
  float hue = 0;    ///< shift uniform in [-hue, hue] of the full circle, at most 0.5
  float erase = 0;  ///< probability that a rectangle is blanked
  float mixup = 0;  ///< alpha of the Beta distribution; 0: off. With cutmix too, each batch draws one of the two
  float cutmix = 0;
  float mix_probability = 1;  ///< that a batch is mixed at all, where mixup or cutmix is on

  friend bool operator==(const AugmentPolicy&, const AugmentPolicy&) = default;
};

[[nodiscard]] AugmentPolicy augment_policy(AugmentStrength strength);

/// What was drawn for a photo: whoever makes the pixels from it makes the same ones.
struct AugmentPlan {
  Window cut;              ///< of the photo
  bool stretched = false;  ///< the cut fills the input, and pixels beside it have their part; else it is fitted like a photo
  bool flip_x = false;
  bool flip_y = false;
  std::vector<PictureStep> steps;  ///< on the fitted picture, in their order
  Window erased;                   ///< of the normalised input: 0 there
};
/// Of a photo of width x height, all but `erased`. With kCrop the cut has torchvision's aspects, and is stretched to the input;
/// with kLetterbox and kSquash its aspect is relative to the photo's own, and then it is fitted like any photo, so that training
/// sees the shapes that use will see.
[[nodiscard]] AugmentPlan draw_augment(int width, int height, const Preprocess& preprocess, const AugmentPolicy& policy,
                                       Rng& rng);
/// The photo cropped, flipped and recoloured, as preprocess.height x preprocess.width bytes.
[[nodiscard]] Image augment(const Image& photo, const Preprocess& preprocess, const AugmentPlan& plan);
/// Both.
[[nodiscard]] Image augment(const Image& photo, const Preprocess& preprocess, const AugmentPolicy& policy, Rng& rng);

/// With probability policy.erase, a rectangle: area uniform in [0.02, 0.33], aspect log-uniform in [0.3, 1 / 0.3], ten tries
/// (Zhong et al., "Random erasing data augmentation", AAAI 2020); else an empty one.
[[nodiscard]] Window draw_erased(int height, int width, const AugmentPolicy& policy, Rng& rng);
/// Sets such a rectangle of the normalised pixels (height, width, 3) to 0.
void random_erase(std::span<float> pixels, int height, int width, const AugmentPolicy& policy, Rng& rng);

/// A whole batch, images (count, height, width, channels) and targets (count, classes), mixed in place: mixup (Zhang et al.,
/// ICLR 2018) or cutmix (Yun et al., ICCV 2019). Every sample of positive weight is paired with the next such one,
/// cyclically; the others stay as they are.
struct BatchView {
  std::span<float> images;
  std::span<float> targets;
  std::span<const float> weights;  ///< (count)
  int height = 0;
  int width = 0;
};
void mix_batch(const BatchView& batch, const AugmentPolicy& policy, Rng& rng);

/// What was drawn for a batch.
struct MixPlan {
  enum class Kind : std::uint8_t {
    kNone,
    kBlend,  ///< own row + (1 - own) partner, of images and targets
    kPatch,  ///< the partner's pixels inside `patch`; targets as of kBlend
  };
  Kind kind = Kind::kNone;
  float own = 1;
  Window patch;
  std::vector<std::size_t> rows;  ///< each is the partner of the one before, the first that of the last
};
/// Of images of height x width.
[[nodiscard]] MixPlan draw_mix(std::span<const float> weights, int height, int width, const AugmentPolicy& policy, Rng& rng);
/// Targets (rows, classes).
void mix_targets(const MixPlan& plan, std::span<float> targets, std::size_t classes);

}  // namespace fovea
