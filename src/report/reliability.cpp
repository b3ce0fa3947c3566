// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "fovea/figures.h"
#include "report/charts.h"
#include "report/html.h"
#include "report/plot.h"

namespace fovea::report {
namespace {

constexpr Scale kShares{{0, 1}, 0.25};

void draw(Plot& plot, std::span<const ReliabilityBin> bins, std::string_view kind, std::string_view when) {
  std::int64_t all = 0;
  for (const ReliabilityBin& bin : bins) all += bin.photos;
  for (const ReliabilityBin& bin : bins) {
    if (bin.photos == 0) continue;
    // The area tells how many photos there are.
    const double radius = std::clamp(14 * std::sqrt(static_cast<double>(bin.photos) / static_cast<double>(all)), 2.0, 11.0);
    plot.dot({bin.probability, bin.accuracy}, radius, kind,
             fmt::format("{}: {} stated with {} on average, {} right", when, counted(bin.photos, "photo"),
                         percent(bin.probability), percent(bin.accuracy)));
  }
}

}  // namespace

std::string reliability(const Calibration& calibration) {
  Plot plot("Stated probability against share right", kShares, kShares, true, true);
  plot.line(std::array{Point{0, 0}, Point{1, 1}}, "faint");
  if (!calibration.before.empty()) draw(plot, calibration.before, "two", "before calibration");
  draw(plot, calibration.after, "one", "as the model answers");
  std::string html = plot.finish("stated probability", "share that was right");
  html += R"(<p class="key"><b class="one"></b>as the model answers )";
  if (!calibration.before.empty()) html += R"(<b class="two"></b>before calibration )";
  html += R"(<b class="faint"></b>ideal</p><p class="note">)";
  html += calibration.error_before
              ? fmt::format("Expected calibration error: <strong>{}</strong>, {} before calibration. ",
                            percent(calibration.error_after), percent(*calibration.error_before))
              : fmt::format("Expected calibration error: <strong>{}</strong>. ", percent(calibration.error_after));
  return html + escape(calibration.note) + "</p>";
}

std::string coverage(std::span<const CoveragePoint> points) {
  if (points.empty()) return {};
  std::vector<Point> line;
  double low = 1;
  for (const CoveragePoint& p : points) {
    line.push_back({p.coverage, p.accuracy});
    low = std::min(low, p.accuracy);
  }
  Scale scale = scale_around(std::min(low, 0.99), 1);
  scale.range.high = 1;
  Plot plot("Accuracy of the surest answers", kShares, scale, true, true);
  plot.line(line, "one");
  for (const CoveragePoint& p : points) {
    plot.dot({p.coverage, p.accuracy}, 3.5, "one",
             fmt::format("answers from {} on: {} of the photos, {} of them right", percent(p.threshold), percent(p.coverage),
                         percent(p.accuracy)));
  }
  std::string html = plot.finish("share of the photos answered", "right among those");
  const auto half = std::ranges::find_if(points, [](const CoveragePoint& p) { return p.coverage < 0.85; });
  if (half != points.end()) {
    html += fmt::format(
        "<p class=\"note\">If only answers from {} on are taken, {} of the photos get one, and <strong>{}</strong> of "
        "those are right.</p>",
        percent(half->threshold), percent(half->coverage), percent(half->accuracy));
  }
  return html;
}

}  // namespace fovea::report
