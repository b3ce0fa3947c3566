// Fovea: a drawing with two axes, as SVG.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace fovea::report {

struct Range {
  double low = 0;
  double high = 1;
};

/// The least range of round numbers around `values`, and the distance of its ticks: about `ticks` of them.
struct Scale {
  Range range;
  double step = 1;
};
[[nodiscard]] Scale scale_around(double low, double high, int ticks = 4);

struct Point {
  double x = 0;
  double y = 0;
};

/// Units of the data to those of the drawing. Colours are classes of the page's style ("one", "two", "faint").
class Plot {
 public:
  Plot(std::string_view title, const Scale& x, const Scale& y, bool y_in_percent, bool x_in_percent = false);

  void line(std::span<const Point> points, std::string_view kind);
  /// A circle with a text that is shown when pointed at.
  void dot(Point point, double radius, std::string_view kind, std::string_view text);
  void column(double from, double to, double height, std::string_view kind, std::string_view text);
  /// Names of the axes, below and above the drawing.
  [[nodiscard]] std::string finish(std::string_view x_name, std::string_view y_name) const;

 private:
  [[nodiscard]] double x_of(double x) const;
  [[nodiscard]] double y_of(double y) const;

  Scale x_;
  Scale y_;
  std::string svg_;
};

}  // namespace fovea::report
