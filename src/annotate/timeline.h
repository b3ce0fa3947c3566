// Fovea: a whole clip as one strip, each moment a column of the classes' shares.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "annotate/layer.h"

namespace fovea::annotation {

class Timeline {
 public:
  /// `seconds`: how long the clip is; none for a stream. Where the clip turns out longer, the strip is pressed together to half.
  Timeline(std::optional<double> seconds, std::size_t classes);

  /// `shares` of the classes, which sum to at most 1.
  void add(double seconds, std::span<const double> shares);

  /// The strip fills the layer: class 0 at the bottom; what has not come yet darkens what lies below.
  void draw(Layer& layer) const;

 private:
  static constexpr std::size_t kColumns = 1024;

  struct Column {
    double weight = 0;
    std::vector<double> sums;  ///< of shares, per class
  };
  void press_together();
  /// Mean shares between two columns; the nearest earlier ones where none came. Empty before the first.
  void shares_between(std::size_t first, std::size_t end, std::vector<double>& shares) const;

  double seconds_;
  std::size_t classes_;
  std::size_t filled_ = 0;  ///< columns up to the latest moment
  std::vector<Column> columns_;
};

}  // namespace fovea::annotation
