// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "report/charts.h"
#include "report/html.h"

namespace fovea::report {
namespace {

constexpr std::size_t kMostInTable = 16;

std::int64_t total(const std::vector<std::int64_t>& row) {
  std::int64_t sum = 0;
  for (const std::int64_t count : row) sum += count;
  return sum;
}

double share_of(std::int64_t count, std::int64_t of) {
  return of == 0 ? 0 : static_cast<double>(count) / static_cast<double>(of);
}

std::string cell_text(const Evaluation& e, std::size_t row, std::size_t column) {
  return fmt::format("{} of {} {} named {}", e.confusion[row][column], total(e.confusion[row]), e.classes[row].name,
                     e.classes[column].name);
}

/// Around what may be wider or higher than the window; by keys too.
constexpr std::string_view kScroll = R"(<div class="scroll" tabindex="0" role="group" aria-label="Who is taken for whom">)";

std::string table(const Evaluation& e) {
  std::string html = std::string(kScroll) + R"(<table class="matrix"><thead><tr><th class="corner">shows</th>)";
  for (const ClassMetrics& c : e.classes) html += fmt::format("<th scope=\"col\"><span>{}</span></th>", escape(c.name));
  html += "</tr></thead><tbody>\n";
  for (std::size_t row = 0; row < e.classes.size(); ++row) {
    html += fmt::format("<tr><th scope=\"row\">{}</th>", escape(e.classes[row].name));
    for (std::size_t column = 0; column < e.classes.size(); ++column) {
      const std::int64_t count = e.confusion[row][column];
      const double share = share_of(count, total(e.confusion[row]));
      // The square root lets rare confusions be seen.
      const double shade = row == column ? 0.12 + 0.83 * share : 0.15 + 0.8 * std::sqrt(share);
      html += count == 0
                  ? "<td class=\"none\">&middot;</td>"
                  : fmt::format(R"(<td class="{}{}" style="--a:{:.2f}" title="{}">{}</td>)", row == column ? "good" : "bad",
                                shade > 0.55 ? " deep" : "", shade, escape(cell_text(e, row, column)), count);
    }
    html += "</tr>\n";
  }
  return html + "</tbody></table></div>";
}

std::string shortened(const std::string& name) {
  constexpr std::size_t kMost = 22;
  std::size_t characters = 0;
  for (std::size_t i = 0; i < name.size(); ++i) {
    if ((static_cast<unsigned char>(name[i]) & 0xC0U) != 0x80U && ++characters > kMost) return name.substr(0, i) + "…";
  }
  return name;
}

std::string drawing(const Evaluation& e) {
  constexpr int kCell = 13;
  constexpr int kLabels = 132;
  const int side = kCell * static_cast<int>(e.classes.size());
  std::string svg =
      std::string(kScroll) +
      fmt::format(R"(<svg class="grid-of-classes" viewBox="0 0 {0} {0}" width="{0}" height="{0}" )"
                  R"(role="img" aria-label="Confusion matrix"><rect class="field" x="{1}" y="{1}" width="{2}" height="{2}"/>)",
                  side + kLabels + 2, kLabels, side);
  for (std::size_t row = 0; row < e.classes.size(); ++row) {
    const int at = kLabels + kCell * static_cast<int>(row);
    const std::string name = escape(shortened(e.classes[row].name));
    svg +=
        fmt::format(R"svg(<text class="end" x="{}" y="{}">{}</text><text transform="translate({} {}) rotate(-90)">{}</text>)svg",
                    kLabels - 5, at + 10, name, at + 10, kLabels - 5, name);
    const std::int64_t photos = total(e.confusion[row]);
    for (std::size_t column = 0; column < e.classes.size(); ++column) {
      if (e.confusion[row][column] == 0) continue;
      const double share = share_of(e.confusion[row][column], photos);
      svg += fmt::format(R"(<rect class="{}" x="{}" y="{}" width="{}" height="{}" opacity="{:.2f}"><title>{}</title></rect>)",
                         row == column ? "good" : "bad", kLabels + kCell * static_cast<int>(column) + 1, at + 1, kCell - 1,
                         kCell - 1, row == column ? 0.12 + 0.83 * share : 0.2 + 0.8 * std::sqrt(share),
                         escape(cell_text(e, row, column)));
    }
  }
  return svg + "</svg></div>";
}

std::string most_frequent(const Evaluation& e) {
  struct Pair {
    std::size_t row;
    std::size_t column;
    std::int64_t count;
  };
  std::vector<Pair> pairs;
  for (std::size_t row = 0; row < e.confusion.size(); ++row) {
    for (std::size_t column = 0; column < e.confusion.size(); ++column) {
      if (row != column && e.confusion[row][column] > 0) pairs.push_back({row, column, e.confusion[row][column]});
    }
  }
  std::ranges::stable_sort(pairs, std::greater(), &Pair::count);
  if (pairs.size() > 10) pairs.resize(10);
  if (pairs.empty()) return "<p class=\"note\">No photo was taken for another class.</p>";
  std::string html = "<ol class=\"pairs\">";
  for (const Pair& p : pairs) {
    const std::int64_t of = total(e.confusion[p.row]);
    html += fmt::format("<li><span><b>{}</b> taken for <b>{}</b></span><span class=\"count\">{} of {}</span>{}</li>\n",
                        escape(e.classes[p.row].name), escape(e.classes[p.column].name), p.count, of,
                        bar(share_of(p.count, of), "bad"));
  }
  return html + "</ol>";
}

}  // namespace

std::string confusion(const Evaluation& e) {
  const bool few = e.classes.size() <= kMostInTable;
  return fmt::format("<div class=\"{}\">{}{}</div>\n", few ? "pair" : "stack",
                     figure("Rows: what a photo shows. Columns: what the model said.", few ? table(e) : drawing(e)),
                     figure("Most frequent confusions", most_frequent(e)));
}

}  // namespace fovea::report
