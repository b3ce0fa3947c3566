// SPDX-License-Identifier: Apache-2.0
#include "predict/heat_map.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "core/error.h"

namespace fovea {
namespace {

constexpr std::string_view kMap = "class_map";

/// The two cells on either side of a place along one axis, and the share of the second; -1 where the network does not see.
struct Between {
  int first = -1;
  int second = -1;
  float share = 0;
};

/// For each of `pixels` of a photo that is scaled to `scaled` and put at `offset` of an input of `side`, which has `cells` cells.
std::vector<Between> along_axis(int pixels, int scaled, int offset, int side, int cells) {
  std::vector<Between> places(static_cast<std::size_t>(pixels));
  for (int p = 0; p < pixels; ++p) {
    const double input = (p + 0.5) * scaled / pixels + offset;
    if (input < 0 || input >= side) continue;
    const double cell = std::clamp(input * cells / side - 0.5, 0.0, cells - 1.0);
    const int first = static_cast<int>(cell);
    places[static_cast<std::size_t>(p)] = {first, std::min(first + 1, cells - 1), static_cast<float>(cell - first)};
  }
  return places;
}

}  // namespace

Result<HeatMapper> HeatMapper::create(const Context& context, const Backend& backend, Model& model) {
  constexpr std::array kOutputs{kMap};
  FOVEA_ASSIGN(NetworkRunner network, NetworkRunner::create(context, backend, model.spec, model.parameters, 1, kOutputs));
  return HeatMapper(model, std::move(network));
}

HeatMap HeatMapper::map(const Image& photo, std::size_t class_index) {
  normalize(fit_image(photo, model_->preprocess).pixels, model_->preprocess, network_.input(0));
  network_.run();
  const Shape shape = network_.shape(kMap);  // (1, rows, columns, channels)
  const auto channels = static_cast<std::size_t>(shape[3]);
  const std::span<const float> features = network_.row(kMap, 0);
  const auto* layer = model_->parameters.find(std::string(classifier_name(model_->spec)) + ".weight");
  const auto weights = model_->parameters.values(*layer).subspan(class_index * channels, channels);

  HeatMap map{static_cast<int>(shape[1]), static_cast<int>(shape[2]), {}};
  float largest = 0;
  for (std::size_t place = 0; place < features.size(); place += channels) {
    double sum = 0;
    for (std::size_t k = 0; k < channels; ++k) sum += static_cast<double>(weights[k]) * static_cast<double>(features[place + k]);
    map.cells.push_back(static_cast<float>(std::max(sum, 0.0)));
    largest = std::max(largest, map.cells.back());
  }
  for (float& cell : map.cells) cell = largest > 0 ? cell / largest : 0;
  return map;
}

std::vector<float> heat_of_pixels(const HeatMap& map, const Preprocess& preprocess, int width, int height) {
  const Placement at = placement_of(width, height, preprocess);
  const std::vector<Between> columns = along_axis(width, at.width, at.left, preprocess.width, map.columns);
  const std::vector<Between> rows = along_axis(height, at.height, at.top, preprocess.height, map.rows);
  const auto cell = [&](int row, int column) {
    return map.cells[static_cast<std::size_t>(row) * static_cast<std::size_t>(map.columns) + static_cast<std::size_t>(column)];
  };
  std::vector<float> heat;
  heat.reserve(rows.size() * columns.size());
  for (const Between& y : rows) {
    for (const Between& x : columns) {
      if (y.first < 0 || x.first < 0) {
        heat.push_back(-1);
        continue;
      }
      const float above = std::lerp(cell(y.first, x.first), cell(y.first, x.second), x.share);
      const float below = std::lerp(cell(y.second, x.first), cell(y.second, x.second), x.share);
      heat.push_back(std::lerp(above, below, y.share));
    }
  }
  return heat;
}

Colour heat_colour(float heat) {
  constexpr std::array<std::array<float, 4>, 5> kStops{
      {{0.00F, 14, 22, 84}, {0.30F, 46, 78, 156}, {0.55F, 126, 128, 138}, {0.80F, 226, 178, 64}, {1.00F, 255, 244, 150}}};
  heat = std::clamp(heat, 0.0F, 1.0F);
  std::size_t stop = 1;
  while (stop + 1 < kStops.size() && heat > kStops[stop][0]) ++stop;
  const auto& low = kStops[stop - 1];
  const auto& high = kStops[stop];
  const float share = (heat - low[0]) / (high[0] - low[0]);
  const auto channel = [&](std::size_t i) { return static_cast<std::uint8_t>(std::lround(std::lerp(low[i], high[i], share))); };
  return {channel(1), channel(2), channel(3)};
}

Image lay_over(const Image& photo, const HeatMap& map, const Preprocess& preprocess) {
  constexpr float kColour = 0.55F;  // against the photo's own light and dark, which must stay readable
  constexpr float kUnseen = 0.25F;
  const std::vector<float> heat = heat_of_pixels(map, preprocess, photo.width, photo.height);
  Image out(photo.width, photo.height);
  for (std::size_t i = 0; i < heat.size(); ++i) {
    const std::uint8_t* pixel = photo.pixels.data() + i * 3;
    std::uint8_t* to = out.pixels.data() + i * 3;
    // Luma of ITU-R BT.601, as JPEG has it.
    const float grey = 0.299F * pixel[0] + 0.587F * pixel[1] + 0.114F * pixel[2];
    const auto mixed = [&](std::uint8_t colour) {
      return static_cast<std::uint8_t>(
          std::lround(heat[i] < 0 ? kUnseen * grey : kColour * static_cast<float>(colour) + (1 - kColour) * grey));
    };
    const Colour colour = heat_colour(heat[i]);
    to[0] = mixed(colour.red);
    to[1] = mixed(colour.green);
    to[2] = mixed(colour.blue);
  }
  return out;
}

}  // namespace fovea
