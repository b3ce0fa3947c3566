// SPDX-License-Identifier: Apache-2.0
#include "image/preprocess.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <cstring>
#include <utility>

namespace fovea {
namespace {

constexpr std::uint8_t kLetterboxGrey = 128;

constexpr std::array<std::pair<Fit, std::string_view>, 3> kFits{
    {{Fit::kLetterbox, "letterbox"}, {Fit::kCrop, "crop"}, {Fit::kSquash, "squash"}}};
constexpr std::array<std::pair<Filter, std::string_view>, 2> kFilters{
    {{Filter::kBilinear, "bilinear"}, {Filter::kBicubic, "bicubic"}}};

template <class Table, class Value>
std::string_view name_in(const Table& table, Value value) {
  for (const auto& [entry, name] : table) {
    if (entry == value) return name;
  }
  return "unknown";
}

template <class Value, std::size_t N>
std::optional<Value> value_in(const std::array<std::pair<Value, std::string_view>, N>& table, std::string_view wanted) {
  for (const auto& [entry, name] : table) {
    if (name == wanted) return entry;
  }
  return std::nullopt;
}

// `length` scaled by to / from, computed as Python does: one division, in double precision.
double scaled(int length, int to, int from) { return static_cast<double>(std::int64_t{to} * length) / from; }

Image letterbox(const Image& photo, const Preprocess& preprocess) {
  const bool width_limits = std::int64_t{preprocess.width} * photo.height <= std::int64_t{preprocess.height} * photo.width;
  const int width = width_limits ? preprocess.width
                                 : std::clamp(static_cast<int>(std::lround(scaled(photo.width, preprocess.height, photo.height))),
                                              1, preprocess.width);
  const int height = width_limits ? std::clamp(static_cast<int>(std::lround(scaled(photo.height, preprocess.width, photo.width))),
                                               1, preprocess.height)
                                  : preprocess.height;
  Image inner = resize(photo, width, height, preprocess.filter);
  if (width == preprocess.width && height == preprocess.height) return inner;
  Image out(preprocess.width, preprocess.height);
  std::ranges::fill(out.pixels, kLetterboxGrey);
  const int left = (preprocess.width - width) / 2;
  const int top = (preprocess.height - height) / 2;
  for (int y = 0; y < height; ++y) {
    std::memcpy(out.row(top + y) + static_cast<std::size_t>(left) * 3, inner.row(y), static_cast<std::size_t>(width) * 3);
  }
  return out;
}

// The side that the shorter side of a photo is scaled to before the centre is cut out.
int crop_side(int side, float fraction) {
  return std::max(side, static_cast<int>(std::floor(side / static_cast<double>(fraction))));
}

// torchvision's CenterCrop: half of what is left over, halves to even.
int centre(int outer, int inner) { return static_cast<int>(std::nearbyint((outer - inner) / 2.0)); }

// torchvision's Resize (the other side truncated) and CenterCrop, of which only what the crop keeps is computed.
Image crop(const Image& photo, const Preprocess& preprocess) {
  int width = crop_side(preprocess.width, preprocess.crop_fraction);
  int height = crop_side(preprocess.height, preprocess.crop_fraction);
  if (std::int64_t{width} * photo.height >= std::int64_t{height} * photo.width) {
    height = std::max(height, static_cast<int>(scaled(photo.height, width, photo.width)));
  } else {
    width = std::max(width, static_cast<int>(scaled(photo.width, height, photo.height)));
  }
  const Window window{centre(width, preprocess.width), centre(height, preprocess.height), preprocess.width, preprocess.height};
  return resize(photo, width, height, preprocess.filter, whole(photo), window);
}

}  // namespace

std::string_view name_of(Fit fit) { return name_in(kFits, fit); }
std::optional<Fit> fit_from(std::string_view name) { return value_in(kFits, name); }
std::string_view name_of(Filter filter) { return name_in(kFilters, filter); }
std::optional<Filter> filter_from(std::string_view name) { return value_in(kFilters, name); }

Image fit_image(const Image& photo, const Preprocess& preprocess) {
  assert(preprocess.width > 0 && preprocess.height > 0 && preprocess.crop_fraction > 0);
  switch (preprocess.fit) {
    case Fit::kLetterbox: return letterbox(photo, preprocess);
    case Fit::kCrop: return crop(photo, preprocess);
    case Fit::kSquash: break;
  }
  return resize(photo, preprocess.width, preprocess.height, preprocess.filter);
}

int shorter_side_needed(const Preprocess& preprocess) {
  const auto [shorter, longer] = std::minmax(preprocess.width, preprocess.height);
  switch (preprocess.fit) {
    case Fit::kLetterbox: return shorter;  // the fitted photo lies inside the rectangle
    case Fit::kCrop: return crop_side(longer, preprocess.crop_fraction);
    case Fit::kSquash: break;
  }
  return longer;
}

void normalize(std::span<const std::uint8_t> pixels, const Preprocess& preprocess, std::span<float> out) {
  assert(pixels.size() == out.size() && pixels.size() % 3 == 0);
  // A whole number of pixels that is also a whole number of vectors: the inner loop needs no shuffles.
  constexpr std::size_t kBlock = 48;
  std::array<float, kBlock> scale;
  std::array<float, kBlock> offset;
  for (std::size_t i = 0; i < kBlock; ++i) {
    scale[i] = static_cast<float>(1.0 / (255.0 * static_cast<double>(preprocess.std[i % 3])));
    offset[i] = static_cast<float>(-static_cast<double>(preprocess.mean[i % 3]) / static_cast<double>(preprocess.std[i % 3]));
  }
  const std::uint8_t* in = pixels.data();
  float* to = out.data();
  std::size_t left = pixels.size();
  for (; left >= kBlock; left -= kBlock, in += kBlock, to += kBlock) {
    for (std::size_t i = 0; i < kBlock; ++i) to[i] = static_cast<float>(in[i]) * scale[i] + offset[i];
  }
  for (std::size_t i = 0; i < left; ++i) to[i] = static_cast<float>(in[i]) * scale[i] + offset[i];
}

}  // namespace fovea
