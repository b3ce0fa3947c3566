// Fovea: one photo becomes one row of a batch.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>

#include "data/loader.h"
#include "data/order.h"
#include "data/source.h"
#include "fovea/result.h"

namespace fovea {

/// A photo as preprocess.height x preprocess.width bytes: from the source as it is where that has fitted it already.
Result<Image> load_fitted(PhotoSource& source, const std::filesystem::path& path, const Preprocess& preprocess);

/// Loaded, augmented, normalised and erased, into (height, width, 3) floats.
Result<void> fill_pixels(const Sample& sample, const Visit& visit, std::uint32_t epoch, PhotoSource& source,
                         const LoaderOptions& options, std::span<float> pixels);

/// The same up to what is drawn, for whoever makes the pixels; loaded unless options.held has the sample.
Result<DrawnPhoto> draw_photo(const Sample& sample, const Visit& visit, std::uint32_t epoch, PhotoSource& source,
                              const LoaderOptions& options);

/// The smoothed target, options.classes floats.
void fill_target(const Sample& sample, const LoaderOptions& options, std::span<float> target);

[[nodiscard]] float weight_of(const Sample& sample, const LoaderOptions& options);

}  // namespace fovea
