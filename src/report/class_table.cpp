// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <vector>

#include "fovea/figures.h"
#include "report/charts.h"
#include "report/html.h"

namespace fovea::report {
namespace {

/// What photos of class `row` are most often taken for, with the number; nothing if all are right.
std::string taken_for(const Evaluation& e, std::size_t row) {
  std::size_t most = row;
  std::int64_t count = 0;
  for (std::size_t column = 0; column < e.classes.size(); ++column) {
    if (column != row && e.confusion[row][column] > count) count = e.confusion[row][most = column];
  }
  return count == 0 ? "" : fmt::format("{} ({})", e.classes[most].name, count);
}

}  // namespace

std::string class_table(const Evaluation& e) {
  std::vector<std::size_t> order(e.classes.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  // Those without photos tell nothing: last.
  std::ranges::stable_sort(order, {}, [&](std::size_t k) { return e.classes[k].photos == 0 ? 2.0 : e.classes[k].recall; });
  std::string html =
      "<div class=\"scroll\"><table class=\"classes\"><thead><tr><th>class</th><th class=\"num\">photos</th>"
      "<th>found</th><th class=\"num\" title=\"share of the photos called so that are so\">precision</th>"
      "<th class=\"num\" title=\"harmonic mean of precision and share found\">F1</th><th>most often taken "
      "for</th></tr></thead>\n<tbody>";
  for (const std::size_t k : order) {
    const ClassMetrics& c = e.classes[k];
    if (c.photos == 0) {
      html += fmt::format(
          "<tr class=\"empty\"><th scope=\"row\">{}</th><td class=\"num\">0</td><td colspan=\"4\">no photos</td></tr>\n",
          escape(c.name));
      continue;
    }
    html += fmt::format(
        "<tr><th scope=\"row\">{}</th><td class=\"num\">{}</td><td class=\"found\">{}<span>{}</span></td>"
        "<td class=\"num\">{}</td><td class=\"num\">{}</td><td class=\"quiet\">{}</td></tr>\n",
        escape(c.name), c.photos, bar(c.recall), percent(c.recall), percent(c.precision), percent(c.f1), escape(taken_for(e, k)));
  }
  return html + "</tbody></table></div>\n";
}

}  // namespace fovea::report
