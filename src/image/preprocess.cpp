// SPDX-License-Identifier: Apache-2.0
#include "image/preprocess.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <cstring>
#include <utility>

#include "image/yuv.h"

namespace fovea {
namespace {

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

Placement letterbox(int width, int height, const Preprocess& preprocess) {
  const bool width_limits = std::int64_t{preprocess.width} * height <= std::int64_t{preprocess.height} * width;
  Placement at{preprocess.width, preprocess.height, 0, 0};
  if (width_limits) {
    at.height = std::clamp(static_cast<int>(std::lround(scaled(height, preprocess.width, width))), 1, preprocess.height);
  } else {
    at.width = std::clamp(static_cast<int>(std::lround(scaled(width, preprocess.height, height))), 1, preprocess.width);
  }
  at.left = (preprocess.width - at.width) / 2;
  at.top = (preprocess.height - at.height) / 2;
  return at;
}

// The side that the shorter side of a photo is scaled to before the centre is cut out.
int crop_side(int side, float fraction) {
  return std::max(side, static_cast<int>(std::floor(side / static_cast<double>(fraction))));
}

// torchvision's CenterCrop: half of what is left over, halves to even.
int centre(int outer, int inner) { return static_cast<int>(std::nearbyint((outer - inner) / 2.0)); }

// torchvision's Resize (the other side truncated) and CenterCrop.
Placement crop(int width, int height, const Preprocess& preprocess) {
  Placement at{crop_side(preprocess.width, preprocess.crop_fraction), crop_side(preprocess.height, preprocess.crop_fraction), 0,
               0};
  if (std::int64_t{at.width} * height >= std::int64_t{at.height} * width) {
    at.height = std::max(at.height, static_cast<int>(scaled(height, at.width, width)));
  } else {
    at.width = std::max(at.width, static_cast<int>(scaled(width, at.height, height)));
  }
  at.left = -centre(at.width, preprocess.width);
  at.top = -centre(at.height, preprocess.height);
  return at;
}

// `inner` at its place on grey.
Image on_grey(const Image& inner, int left, int top, const Preprocess& preprocess) {
  Image out(preprocess.width, preprocess.height);
  std::ranges::fill(out.pixels, kLetterboxGrey);
  for (int y = 0; y < inner.height; ++y) {
    std::memcpy(out.row(top + y) + static_cast<std::size_t>(left) * 3, inner.row(y), static_cast<std::size_t>(inner.width) * 3);
  }
  return out;
}

// `resized` (width, height, window) gives that window of the photo at that size.
template <class Photo, class Resized>
Image fit(const Photo& photo, const Preprocess& preprocess, const Resized& resized) {
  const Fitting to = fitting_of(photo.width, photo.height, preprocess);
  Image inner = resized(to.width, to.height, to.window);
  if (to.window.width == preprocess.width && to.window.height == preprocess.height) return inner;
  return on_grey(inner, to.left, to.top, preprocess);
}

}  // namespace

std::string_view name_of(Fit fit) { return name_in(kFits, fit); }
std::optional<Fit> fit_from(std::string_view name) { return value_in(kFits, name); }
std::string_view name_of(Filter filter) { return name_in(kFilters, filter); }
std::optional<Filter> filter_from(std::string_view name) { return value_in(kFilters, name); }

Placement placement_of(int width, int height, const Preprocess& preprocess) {
  assert(preprocess.width > 0 && preprocess.height > 0 && preprocess.crop_fraction > 0);
  switch (preprocess.fit) {
    case Fit::kLetterbox: return letterbox(width, height, preprocess);
    case Fit::kCrop: return crop(width, height, preprocess);
    case Fit::kSquash: break;
  }
  return {preprocess.width, preprocess.height, 0, 0};
}

Fitting fitting_of(int width, int height, const Preprocess& preprocess) {
  const Placement at = placement_of(width, height, preprocess);
  // Of a photo that covers the rectangle, only what lies in it is computed.
  if (at.width >= preprocess.width && at.height >= preprocess.height)
    return {at.width, at.height, {-at.left, -at.top, preprocess.width, preprocess.height}, 0, 0};
  return {at.width, at.height, {0, 0, at.width, at.height}, at.left, at.top};
}

Image fit_image(const Image& photo, const Preprocess& preprocess) {
  return fit(photo, preprocess, [&](int width, int height, const Window& window) {
    return resize(photo, width, height, preprocess.filter, whole(photo), window);
  });
}

Image fit_image(const YuvFrame& frame, const Preprocess& preprocess) {
  return fit(frame, preprocess, [&](int width, int height, const Window& window) {
    return resize(frame, width, height, preprocess.filter, window);
  });
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

ChannelScaling channel_scaling_of(const Preprocess& preprocess) {
  ChannelScaling made{};
  for (std::size_t c = 0; c < 3; ++c) {
    made.scale[c] = static_cast<float>(1.0 / (255.0 * static_cast<double>(preprocess.std[c])));
    made.offset[c] = static_cast<float>(-static_cast<double>(preprocess.mean[c]) / static_cast<double>(preprocess.std[c]));
  }
  return made;
}

void normalize(std::span<const std::uint8_t> pixels, const Preprocess& preprocess, std::span<float> out) {
  assert(pixels.size() == out.size() && pixels.size() % 3 == 0);
  // A whole number of pixels that is also a whole number of vectors: the inner loop needs no shuffles.
  constexpr std::size_t kBlock = 48;
  const ChannelScaling channels = channel_scaling_of(preprocess);
  std::array<float, kBlock> scale;
  std::array<float, kBlock> offset;
  for (std::size_t i = 0; i < kBlock; ++i) {
    scale[i] = channels.scale[i % 3];
    offset[i] = channels.offset[i % 3];
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
