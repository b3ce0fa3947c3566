// Fovea: the classes' probabilities as labelled bars, drawn with Cairo and Pango.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "annotate/layer.h"
#include "fovea/result.h"

namespace fovea::annotation {

/// What a panel says.
struct Bars {
  std::span<const std::string> classes;
  std::span<const double> shares;  ///< per class, 0 to 1
  bool rejected = false;           ///< probably none of the classes: says "unknown"
};

/// A dark, see-through ground with light text, so that it can be read on a bright and on a dark picture. Few classes keep their
/// places; of many the most probable are shown, the first on top.
class Panel {
 public:
  /// For pictures of width x height pixels; text scales with the picture. `most`: bars, at least 1.
  static Result<Panel> create(int width, int height, int most);
  Panel(Panel&& other) noexcept;
  Panel& operator=(Panel&& other) noexcept;
  ~Panel();

  /// False where that looks like what was drawn last.
  bool draw(const Bars& bars);
  /// What was drawn last.
  [[nodiscard]] const Layer& layer() const;
  /// Where it belongs in the picture: as many pixels, an even number, from the left as from the top.
  [[nodiscard]] int margin() const;

 private:
  class Impl;
  explicit Panel(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// The classes that get a bar, in the order they are drawn: all of them in their own order, or the `most` most probable.
[[nodiscard]] std::vector<std::size_t> shown_classes(std::span<const double> shares, std::size_t most);

}  // namespace fovea::annotation
