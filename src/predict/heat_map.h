// Fovea: where in a photo a network looked.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "core/context.h"
#include "image/image.h"
#include "image/preprocess.h"
#include "model/model_file.h"
#include "model/network_runner.h"

namespace fovea {

/// How much each part of the network's input speaks for a class.
struct HeatMap {
  int rows = 0;
  int columns = 0;
  std::vector<float> cells;  ///< (rows, columns), 0 to 1; the largest is 1 unless nothing speaks for the class
};

/// Makes heat maps of photos with one model; `model` must outlive it.
class HeatMapper {
 public:
  static Result<HeatMapper> create(const Context& context, const Backend& backend, Model& model);

  /// Grad-CAM (R. Selvaraju et al., "Grad-CAM: visual explanations from deep networks via gradient-based localization", ICCV
  /// 2017): relu(sum_k a_k A_k), where a_k is the mean over the places of the derivative of the class's logit by channel k of the
  /// last feature map A. All networks here end in A -> mean over its P places -> dense layer W, so that derivative is W[class,k]
  /// / P everywhere and the map is relu(W[class] . A) / P, without a backward pass; dividing by the largest value removes the P.
  /// `photo` may be decoded at any size.
  [[nodiscard]] HeatMap map(const Image& photo, std::size_t class_index);

 private:
  HeatMapper(const Model& model, NetworkRunner network) : model_(&model), network_(std::move(network)) {}

  const Model* model_;
  NetworkRunner network_;
};

/// The map on a photo of width x height as it is, its fit undone: (height, width), bilinear between the middles of the cells.
/// Negative where the network does not see the photo, because the fit cuts it away.
[[nodiscard]] std::vector<float> heat_of_pixels(const HeatMap& map, const Preprocess& preprocess, int width, int height);

/// Colour of a heat from 0 to 1: from dark blue over grey to light yellow, ever lighter. Blue against yellow is what people with
/// any of the common kinds of colour blindness tell apart, and the lightness alone says it all.
struct Colour {
  std::uint8_t red = 0;
  std::uint8_t green = 0;
  std::uint8_t blue = 0;
};
[[nodiscard]] Colour heat_colour(float heat);

/// The photo with the map laid over it; what the network does not see is dark.
[[nodiscard]] Image lay_over(const Image& photo, const HeatMap& map, const Preprocess& preprocess);

}  // namespace fovea
