// Fovea: what happens between a decoded photo and the network's input; travels with the weights.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "image/image.h"
#include "image/resize.h"

namespace fovea {

/// How a photo of any shape becomes the network's rectangle.
enum class Fit : std::uint8_t {
  kLetterbox,  ///< whole photo, borders filled with mid-grey
  kCrop,       ///< shorter side scaled to size / zoom, centre cut out
  kSquash,     ///< whole photo, aspect not kept
};

struct Preprocess {
  int height = 224;
  int width = 224;
  Fit fit = Fit::kLetterbox;
  Filter filter = Filter::kBilinear;
  /// Part of the shorter side that kCrop keeps: 0.875 scales it to 256 for an input of 224. 1 keeps all of it.
  float crop_fraction = 0.875F;
  /// Input = (pixel / 255 - mean) / std, per channel R, G, B.
  std::array<float, 3> mean{0.5F, 0.5F, 0.5F};
  std::array<float, 3> std{0.5F, 0.5F, 0.5F};

  friend bool operator==(const Preprocess&, const Preprocess&) = default;
};

[[nodiscard]] std::string_view name_of(Fit fit);
[[nodiscard]] std::optional<Fit> fit_from(std::string_view name);
[[nodiscard]] std::string_view name_of(Filter filter);
[[nodiscard]] std::optional<Filter> filter_from(std::string_view name);

/// Where a photo lies in the network's rectangle: scaled to width x height, its corner at (left, top), which is negative where
/// the photo is cut.
struct Placement {
  int width = 0;
  int height = 0;
  int left = 0;
  int top = 0;
};
/// Of a photo of width x height. kCrop rounds as torchvision does (longer side truncated, offset rounded half to even).
[[nodiscard]] Placement placement_of(int width, int height, const Preprocess& preprocess);

/// How the rectangle is made of it: `window` of the photo scaled to width x height, with its corner at (left, top); grey around.
struct Fitting {
  int width = 0;
  int height = 0;
  Window window;
  int left = 0;
  int top = 0;
};
[[nodiscard]] Fitting fitting_of(int width, int height, const Preprocess& preprocess);
inline constexpr std::uint8_t kLetterboxGrey = 128;

/// The photo as height x width RGB bytes.
[[nodiscard]] Image fit_image(const Image& photo, const Preprocess& preprocess);

/// What `DecodeOptions::shorter_side_needed` may be for this preprocessing.
[[nodiscard]] int shorter_side_needed(const Preprocess& preprocess);

/// A level of channel c becomes level scale[c] + offset[c].
struct ChannelScaling {
  std::array<float, 3> scale;
  std::array<float, 3> offset;
};
[[nodiscard]] ChannelScaling channel_scaling_of(const Preprocess& preprocess);

/// Bytes (H, W, 3) to floats (H, W, 3); `out` has as many elements as `pixels`.
void normalize(std::span<const std::uint8_t> pixels, const Preprocess& preprocess, std::span<float> out);

}  // namespace fovea
