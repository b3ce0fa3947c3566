// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "report/html.h"
#include "watch/page_figures.h"
#include "watch/time_text.h"

namespace fovea::watching {
namespace {

using namespace std::chrono;

constexpr int kCell = 14;
constexpr int kLeft = 34;
constexpr int kTop = 20;
constexpr int kMostYears = 3;

/// Weeks go across, Monday to Sunday down.
struct Cell {
  int column = 0;
  int row = 0;
};

Cell cell_of(sys_days day) {
  const sys_days first = sys_days(year_month_day(day).year() / January / 1);
  const int before = static_cast<int>(weekday(first).iso_encoding()) - 1;
  return {(static_cast<int>((day - first).count()) + before) / 7, static_cast<int>(weekday(day).iso_encoding()) - 1};
}

std::string square(sys_days day, const Summary* summary, const PageData& data) {
  const Cell cell = cell_of(day);
  const std::string at = fmt::format(R"(x="{}" y="{}" width="{}" height="{}" rx="2.5")", kLeft + cell.column * kCell + 1,
                                     kTop + cell.row * kCell + 1, kCell - 2, kCell - 2);
  if (summary == nullptr) return fmt::format(R"(<rect class="void" {}/>)", at);
  const std::string title =
      fmt::format("<title>{}: {}</title>", time_text(sys_seconds(day), "%Y-%m-%d"), report::escape(counts_text(*summary)));
  const std::string top = summary->top();
  if (top.empty()) {
    const bool nothing_but_trouble = summary->unknown == 0 && summary->night == 0;
    return fmt::format(R"(<rect class="{}" {}>{}</rect>)", nothing_but_trouble ? "bad" : "void", at, title);
  }
  // Half a day of one class is already something: the weakest colour is still told from none.
  return fmt::format(R"(<rect class="{}" style="--a:{:.2f}" {}>{}</rect>)", colour_of(top, data.classes),
                     0.25 + 0.75 * summary->share(top), at, title);
}

std::string year_figure(year which, const PageData& data) {
  const sys_days first(which / January / 1);
  const sys_days last(which / December / 31);
  std::string svg =
      fmt::format(R"(<div class="scroll newest"><svg class="year" width="{}" height="{}" role="img" aria-label="{}">)",
                  kLeft + 54 * kCell, kTop + 7 * kCell + 2, static_cast<int>(which));
  svg += fmt::format(R"(<text class="name" x="0" y="12">{}</text>)", static_cast<int>(which));
  for (unsigned m = 1; m <= 12; ++m) {
    const sys_days start(which / month(m) / 1);
    svg += fmt::format(R"(<text x="{}" y="12">{}</text>)", kLeft + (cell_of(start).column + 1) * kCell,
                       time_text(sys_seconds(start), "%b"));
  }
  for (sys_days day = first; day <= last; day += days(1)) {
    const auto found = std::ranges::lower_bound(data.days, day, {}, &Summary::first);
    svg += square(day, found != data.days.end() && found->first == day ? &*found : nullptr, data);
  }
  return svg + "</svg></div>";
}

}  // namespace

std::string calendar(const PageData& data) {
  const year newest = year_month_day(data.today).year();
  std::string html;
  for (int back = 0; back < kMostYears; ++back) {
    const year which = newest - years(back);
    const bool any = std::ranges::any_of(data.days, [&](const Summary& s) { return year_month_day(s.first).year() == which; });
    if (any) html += year_figure(which, data);
  }
  return html + legend(data);
}

}  // namespace fovea::watching
