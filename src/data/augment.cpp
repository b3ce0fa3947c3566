// SPDX-License-Identifier: Apache-2.0
#include "data/augment.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "data/randaugment.h"
#include "image/resize.h"

namespace fovea {
namespace {

constexpr std::array<std::pair<AugmentStrength, std::string_view>, 4> kStrengths{{{AugmentStrength::kNone, "none"},
                                                                                  {AugmentStrength::kLight, "light"},
                                                                                  {AugmentStrength::kMedium, "medium"},
                                                                                  {AugmentStrength::kStrong, "strong"}}};
constexpr int kTries = 10;

int rounded(double value) { return static_cast<int>(std::nearbyint(value)); }

float log_uniform(float low, float high, Rng& rng) { return std::exp(rng.uniform(std::log(low), std::log(high))); }

Window place(int width, int height, int frame_width, int frame_height, Rng& rng) {
  Window cut{0, 0, width, height};
  cut.top = static_cast<int>(rng.below(static_cast<std::uint32_t>(frame_height - height + 1)));
  cut.left = static_cast<int>(rng.below(static_cast<std::uint32_t>(frame_width - width + 1)));
  return cut;
}

// torchvision's RandomResizedCrop, with aspects relative to `aspect`; where ten tries do not fit, the largest centred cut whose
// aspect is allowed.
Window random_cut(int photo_width, int photo_height, double aspect, const AugmentPolicy& policy, Rng& rng) {
  const double area = static_cast<double>(photo_width) * photo_height;
  for (int i = 0; i < kTries; ++i) {
    const double target = area * rng.uniform(policy.min_area, policy.max_area);
    const double ratio = aspect * log_uniform(1 / policy.max_aspect, policy.max_aspect, rng);
    const int width = rounded(std::sqrt(target * ratio));
    const int height = rounded(std::sqrt(target / ratio));
    if (width > 0 && height > 0 && width <= photo_width && height <= photo_height) {
      return place(width, height, photo_width, photo_height, rng);
    }
  }
  const double own = static_cast<double>(photo_width) / photo_height;
  const double allowed = std::clamp(own, aspect / policy.max_aspect, aspect * policy.max_aspect);
  const int width = own > allowed ? std::max(1, rounded(photo_height * allowed)) : photo_width;
  const int height = own < allowed ? std::max(1, rounded(photo_width / allowed)) : photo_height;
  return {(photo_width - width) / 2, (photo_height - height) / 2, width, height};
}

Image copy_of(const Image& photo, const Window& cut) {
  Image part(cut.width, cut.height);
  for (int y = 0; y < cut.height; ++y) {
    const std::uint8_t* from = photo.row(cut.top + y) + 3 * cut.left;
    std::copy_n(from, 3 * cut.width, part.row(y));
  }
  return part;
}

Image crop_and_fit(const Image& photo, const Preprocess& preprocess, const AugmentPlan& plan) {
  const Window& cut = plan.cut;
  if (plan.stretched) {
    const Box box{static_cast<double>(cut.left), static_cast<double>(cut.top), static_cast<double>(cut.left + cut.width),
                  static_cast<double>(cut.top + cut.height)};
    return resize(photo, preprocess.width, preprocess.height, preprocess.filter, box);
  }
  if (cut.width == photo.width && cut.height == photo.height) return fit_image(photo, preprocess);
  return fit_image(copy_of(photo, cut), preprocess);
}

void flip_horizontally(Image& image) {
  for (int y = 0; y < image.height; ++y) {
    std::uint8_t* row = image.row(y);
    for (int left = 0, right = image.width - 1; left < right; ++left, --right) {
      std::swap_ranges(row + 3 * left, row + 3 * left + 3, row + 3 * right);
    }
  }
}

void flip_vertically(Image& image) {
  for (int top = 0, bottom = image.height - 1; top < bottom; ++top, --bottom) {
    std::swap_ranges(image.row(top), image.row(top) + 3 * image.width, image.row(bottom));
  }
}

// Brightness, contrast, saturation and hue, in random order.
void draw_jitter(const AugmentPolicy& policy, std::vector<PictureStep>& steps, Rng& rng) {
  using Kind = PictureStep::Kind;
  std::array<int, 4> order{0, 1, 2, 3};
  for (std::uint32_t i = 3; i > 0; --i) std::swap(order[i], order[rng.below(i + 1)]);
  const auto factor = [&](float strength) { return rng.uniform(std::max(0.0F, 1 - strength), 1 + strength); };
  for (const int step : order) {
    if (step == 0 && policy.brightness > 0) steps.push_back({Kind::kBrightness, factor(policy.brightness)});
    if (step == 1 && policy.contrast > 0) steps.push_back({Kind::kContrast, factor(policy.contrast)});
    if (step == 2 && policy.saturation > 0) steps.push_back({Kind::kSaturation, factor(policy.saturation)});
    if (step == 3 && policy.hue > 0) steps.push_back({Kind::kHue, rng.uniform(-policy.hue, policy.hue)});
  }
}

}  // namespace

std::string_view name_of(AugmentStrength strength) {
  return std::find_if(kStrengths.begin(), kStrengths.end(), [&](const auto& entry) { return entry.first == strength; })->second;
}

std::optional<AugmentStrength> augment_strength_from(std::string_view name) {
  for (const auto& [strength, known] : kStrengths) {
    if (known == name) return strength;
  }
  return std::nullopt;
}

AugmentPolicy augment_policy(AugmentStrength strength) {
  AugmentPolicy policy;
  if (strength == AugmentStrength::kNone) return policy;
  policy.random_crop = true;
  policy.horizontal_flip = 0.5F;
  switch (strength) {
    case AugmentStrength::kNone: break;
    case AugmentStrength::kLight:
      policy.min_area = 0.6F;
      policy.max_aspect = 1.15F;
      policy.brightness = policy.contrast = policy.saturation = 0.1F;
      break;
    case AugmentStrength::kMedium:
      policy.min_area = 0.35F;
      policy.brightness = policy.contrast = policy.saturation = 0.2F;
      policy.erase = 0.1F;
      break;
    case AugmentStrength::kStrong:
      policy.min_area = 0.2F;
      policy.randaugment_ops = 2;
      policy.erase = 0.25F;
      policy.mixup = 0.2F;
      policy.cutmix = 1;
      policy.mix_probability = 0.5F;
      break;
  }
  return policy;
}

AugmentPlan draw_augment(int width, int height, const Preprocess& preprocess, const AugmentPolicy& policy, Rng& rng) {
  AugmentPlan plan;
  plan.cut = {0, 0, width, height};
  if (policy.random_crop) {
    const bool own_shape = preprocess.fit != Fit::kCrop;
    const double aspect =
        own_shape ? static_cast<double>(width) / height : static_cast<double>(preprocess.width) / preprocess.height;
    plan.cut = random_cut(width, height, aspect, policy, rng);
    plan.stretched = preprocess.fit != Fit::kLetterbox;
  }
  plan.flip_x = rng.chance(policy.horizontal_flip);
  plan.flip_y = rng.chance(policy.vertical_flip);
  plan.steps = draw_randaugment(policy.randaugment_ops, policy.randaugment_magnitude, preprocess.width, preprocess.height, rng);
  draw_jitter(policy, plan.steps, rng);
  return plan;
}

Image augment(const Image& photo, const Preprocess& preprocess, const AugmentPlan& plan) {
  Image image = crop_and_fit(photo, preprocess, plan);
  if (plan.flip_x) flip_horizontally(image);
  if (plan.flip_y) flip_vertically(image);
  for (const PictureStep& step : plan.steps) apply(image, step);
  return image;
}

Image augment(const Image& photo, const Preprocess& preprocess, const AugmentPolicy& policy, Rng& rng) {
  return augment(photo, preprocess, draw_augment(photo.width, photo.height, preprocess, policy, rng));
}

Window draw_erased(int height, int width, const AugmentPolicy& policy, Rng& rng) {
  if (!rng.chance(policy.erase)) return {};
  const double area = static_cast<double>(width) * height;
  for (int i = 0; i < kTries; ++i) {
    const double target = area * rng.uniform(0.02F, 0.33F);
    const double ratio = log_uniform(0.3F, 1 / 0.3F, rng);
    const int cut_height = rounded(std::sqrt(target * ratio));
    const int cut_width = rounded(std::sqrt(target / ratio));
    if (cut_height >= height || cut_width >= width || cut_height == 0 || cut_width == 0) continue;
    return place(cut_width, cut_height, width, height, rng);
  }
  return {};
}

void random_erase(std::span<float> pixels, int height, int width, const AugmentPolicy& policy, Rng& rng) {
  const Window cut = draw_erased(height, width, policy, rng);
  for (int y = cut.top; y < cut.top + cut.height; ++y) {
    const std::size_t first =
        3 * (static_cast<std::size_t>(y) * static_cast<std::size_t>(width) + static_cast<std::size_t>(cut.left));
    std::fill_n(pixels.begin() + static_cast<std::ptrdiff_t>(first), 3 * cut.width, 0.0F);
  }
}

}  // namespace fovea
