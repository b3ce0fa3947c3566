// Fovea: a whole clip as one strip, each moment a column of the classes' shares.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "image/image.h"

namespace fovea::annotation {

class Timeline {
 public:
  /// `seconds`: how long the clip is; none for a stream. Where the clip turns out longer, the strip is pressed together to half.
  Timeline(std::optional<double> seconds, std::size_t classes);

  /// `shares` of the classes, which sum to at most 1.
  void add(double seconds, std::span<const double> shares);

  /// The strip into the rectangle of `image` (which it must lie within): class 0 at the bottom; what has not come yet is
  /// darkened.
  void draw(Image& image, int left, int top, int width, int height) const;

 private:
  static constexpr std::size_t kColumns = 1024;

  struct Column {
    double weight = 0;
    std::vector<double> sums;  ///< of shares, per class
  };
  void press_together();
  /// Mean shares between two columns; the nearest earlier ones where none came. Empty before the first.
  [[nodiscard]] std::vector<double> shares_between(std::size_t first, std::size_t end) const;

  double seconds_;
  std::size_t classes_;
  std::size_t filled_ = 0;  ///< columns up to the latest moment
  std::vector<Column> columns_;
};

}  // namespace fovea::annotation
