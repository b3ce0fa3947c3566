// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "fovea/figures.h"
#include "report/charts.h"
#include "report/html.h"

namespace fovea::report {

std::string interval_bar(double accuracy, const Interval& interval) {
  constexpr double kLeft = 14;
  constexpr double kRight = 386;
  // From the ten per cent below the interval up to everything.
  const double from = std::max(0.0, std::floor(interval.low * 10 - 0.5) / 10);
  const auto x = [&](double share) { return kLeft + (share - from) / (1 - from) * (kRight - kLeft); };
  std::string svg = fmt::format(R"(<svg class="interval" viewBox="0 0 400 46" role="img" aria-label="{} to {}">)",
                                percent(interval.low), percent(interval.high));
  svg += fmt::format(
      R"(<path class="grid" d="M{:.1f} 14H{:.1f}"/><path class="band" d="M{:.1f} 14H{:.1f}"/><circle class="dot one" cx="{:.1f}" cy="14" r="6"/>)",
      kLeft, kRight, x(interval.low), x(interval.high), x(accuracy));
  const int tenths = static_cast<int>(std::lround((1 - from) * 10));
  for (int i = 0; i <= tenths; i += tenths > 5 ? 2 : 1) {
    svg += fmt::format(R"(<text class="mid" x="{:.1f}" y="42">{:.0f} %</text>)", x(from + i / 10.0), 100 * (from + i / 10.0));
  }
  return svg + "</svg>";
}

}  // namespace fovea::report
