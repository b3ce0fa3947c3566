// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <vector>

#include "fovea/figures.h"
#include "report/charts.h"
#include "report/html.h"

namespace fovea::report {

std::string label_table(const Evaluation& e) {
  std::vector<std::size_t> order(e.classes.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  // Those without photos tell nothing: last.
  std::ranges::stable_sort(
      order, {}, [&](std::size_t k) { return e.classes[k].photos == 0 ? 2.0 : e.classes[k].average_precision.value_or(0); });
  std::string html =
      "<div class=\"scroll\"><table class=\"classes\"><thead><tr><th>label</th><th class=\"num\">photos</th>"
      "<th title=\"how well its probabilities put the photos that have it first\">average precision</th>"
      "<th class=\"num\" title=\"share of the photos with it that are answered with it\">found</th>"
      "<th class=\"num\" title=\"share of the photos answered with it that have it\">precision</th>"
      "<th class=\"num\" title=\"harmonic mean of precision and share found\">F1</th>"
      "<th class=\"num\" title=\"the probability from which on it is answered\">from</th></tr></thead>\n<tbody>";
  for (const std::size_t k : order) {
    const ClassMetrics& c = e.classes[k];
    if (c.photos == 0) {
      html += fmt::format(
          "<tr class=\"empty\"><th scope=\"row\">{}</th><td class=\"num\">0</td><td colspan=\"5\">no photos</td></tr>\n",
          escape(c.name));
      continue;
    }
    const double precision = c.average_precision.value_or(0);
    html += fmt::format(
        "<tr><th scope=\"row\">{}</th><td class=\"num\">{}</td><td class=\"found\">{}<span>{}</span></td><td "
        "class=\"num\">{}</td>"
        "<td class=\"num\">{}</td><td class=\"num\">{}</td><td class=\"num\">{}</td></tr>\n",
        escape(c.name), c.photos, bar(precision), percent(precision), percent(c.recall), percent(c.precision), percent(c.f1),
        percent(c.threshold.value_or(0)));
  }
  return html + "</tbody></table></div>\n";
}

}  // namespace fovea::report
