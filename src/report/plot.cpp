// SPDX-License-Identifier: Apache-2.0
#include "report/plot.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "report/html.h"

namespace fovea::report {
namespace {

constexpr double kWidth = 400;
constexpr double kHeight = 270;
constexpr double kLeft = 46;
constexpr double kRight = 388;
constexpr double kTop = 26;
constexpr double kBottom = 228;

std::string tick_text(double value, double step, bool in_percent) {
  if (in_percent) return fmt::format("{:.{}f} %", 100 * value, step < 0.0099 ? 1 : 0);
  const int digits = std::clamp(static_cast<int>(std::ceil(-std::log10(step) - 1e-9)), 0, 6);
  return fmt::format("{:.{}f}", value, digits);
}

}  // namespace

Scale scale_around(double low, double high, int ticks) {
  if (!(high > low)) high = low + std::max(std::abs(low) * 0.1, 1e-3);
  const double rough = (high - low) / ticks;
  const double power = std::pow(10.0, std::floor(std::log10(rough)));
  double step = 10 * power;
  for (const double digit : {5.0, 2.0, 1.0}) {
    if (digit * power >= rough) step = digit * power;
  }
  return {{std::floor(low / step + 1e-9) * step, std::ceil(high / step - 1e-9) * step}, step};
}

Plot::Plot(std::string_view title, const Scale& x, const Scale& y, bool y_in_percent, bool x_in_percent) : x_(x), y_(y) {
  svg_ =
      fmt::format(R"(<svg class="plot" viewBox="0 0 {:.0f} {:.0f}" role="img" aria-label="{}">)", kWidth, kHeight, escape(title));
  const auto steps = [](const Scale& scale) {
    return static_cast<int>(std::lround((scale.range.high - scale.range.low) / scale.step));
  };
  for (int i = 0; i <= steps(y); ++i) {
    const double value = y.range.low + i * y.step;
    svg_ += fmt::format(R"(<path class="grid" d="M{:.1f} {:.1f}H{:.1f}"/><text class="end" x="{:.1f}" y="{:.1f}">{}</text>)",
                        kLeft, y_of(value), kRight, kLeft - 6, y_of(value) + 4, tick_text(value, y.step, y_in_percent));
  }
  for (int i = 0; i <= steps(x); ++i) {
    const double value = x.range.low + i * x.step;
    svg_ += fmt::format(R"(<text class="mid" x="{:.1f}" y="{:.1f}">{}</text>)", x_of(value), kBottom + 17,
                        tick_text(value, x.step, x_in_percent));
  }
}

double Plot::x_of(double x) const { return kLeft + (x - x_.range.low) / (x_.range.high - x_.range.low) * (kRight - kLeft); }
double Plot::y_of(double y) const {
  return kBottom -
         (std::clamp(y, y_.range.low, y_.range.high) - y_.range.low) / (y_.range.high - y_.range.low) * (kBottom - kTop);
}

void Plot::line(std::span<const Point> points, std::string_view kind) {
  std::string path;
  for (const Point& p : points) path += fmt::format("{}{:.1f} {:.1f}", path.empty() ? 'M' : 'L', x_of(p.x), y_of(p.y));
  svg_ += fmt::format(R"(<path class="line {}" d="{}"/>)", kind, path);
}

void Plot::dot(Point point, double radius, std::string_view kind, std::string_view text) {
  svg_ += fmt::format(R"(<circle class="dot {}" cx="{:.1f}" cy="{:.1f}" r="{:.1f}"><title>{}</title></circle>)", kind,
                      x_of(point.x), y_of(point.y), radius, escape(text));
}

void Plot::column(double from, double to, double height, std::string_view kind, std::string_view text) {
  svg_ +=
      fmt::format(R"(<rect class="{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"><title>{}</title></rect>)", kind,
                  x_of(from) + 1, y_of(height), std::max(x_of(to) - x_of(from) - 2, 1.0), kBottom - y_of(height), escape(text));
}

std::string Plot::finish(std::string_view x_name, std::string_view y_name) const {
  return svg_ +
         fmt::format(R"(<text class="name" x="0" y="12">{}</text><text class="name end" x="{:.0f}" y="{:.0f}">{}</text></svg>)",
                     escape(y_name), kRight, kHeight - 6, escape(x_name));
}

}  // namespace fovea::report
