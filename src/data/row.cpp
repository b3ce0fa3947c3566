// SPDX-License-Identifier: Apache-2.0
#include "data/row.h"

#include <algorithm>
#include <utility>

#include "core/error.h"

namespace fovea {

Result<Image> load_fitted(PhotoSource& source, const std::filesystem::path& path, const Preprocess& preprocess) {
  FOVEA_ASSIGN(Image photo, source.load(path));
  if (source.fitted() != nullptr) return photo;
  return fit_image(photo, preprocess);
}

namespace {

Rng rng_of(const Visit& visit, std::uint32_t epoch, const LoaderOptions& options) {
  return Rng(options.seed, epoch, static_cast<std::uint32_t>(visit.sample),
             static_cast<std::uint32_t>(Purpose::kAugment) + visit.earlier);
}

}  // namespace

Result<DrawnPhoto> draw_photo(const Sample& sample, const Visit& visit, std::uint32_t epoch, PhotoSource& source,
                              const LoaderOptions& options) {
  Rng rng = rng_of(visit, epoch, options);
  const Preprocess& input = options.preprocess;
  Image photo;
  PhotoSize size = options.held ? options.held(visit.sample) : PhotoSize();
  if (size.width == 0) {
    FOVEA_ASSIGN(photo, source.load(sample.path));
    size = {photo.width, photo.height};
  }
  const bool fitted = source.fitted() != nullptr;
  AugmentPlan plan;
  if (fitted) {
    plan.cut = {0, 0, size.width, size.height};
  } else {
    plan = draw_augment(size.width, size.height, input, options.augment, rng);
  }
  plan.erased = draw_erased(input.height, input.width, options.augment, rng);
  return drawn_photo(size, std::move(photo.pixels), input, std::move(plan), fitted);
}

Result<void> fill_pixels(const Sample& sample, const Visit& visit, std::uint32_t epoch, PhotoSource& source,
                         const LoaderOptions& options, std::span<float> pixels) {
  Rng rng = rng_of(visit, epoch, options);
  FOVEA_ASSIGN(Image photo, source.load(sample.path));
  if (source.fitted() == nullptr) photo = augment(photo, options.preprocess, options.augment, rng);
  normalize(photo.pixels, options.preprocess, pixels);
  random_erase(pixels, options.preprocess.height, options.preprocess.width, options.augment, rng);
  return {};
}

void fill_target(const Sample& sample, const LoaderOptions& options, std::span<float> target) {
  const float e = options.label_smoothing;
  std::fill(target.begin(), target.end(), e / (options.multi_label ? 2.0F : static_cast<float>(options.classes)));
  const float each = options.multi_label || sample.labels.empty() ? 1.0F : 1.0F / static_cast<float>(sample.labels.size());
  for (const int label : sample.labels) target[static_cast<std::size_t>(label)] += (1 - e) * each;
}

float weight_of(const Sample& sample, const LoaderOptions& options) {
  if (options.class_weights.empty() || sample.labels.empty()) return 1;
  float sum = 0;
  for (const int label : sample.labels) sum += options.class_weights[static_cast<std::size_t>(label)];
  return sum / static_cast<float>(sample.labels.size());
}

}  // namespace fovea
