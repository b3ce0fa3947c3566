// SPDX-License-Identifier: Apache-2.0
#include "watch/page.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.h"
#include "core/file.h"
#include "core/output_file.h"
#include "fovea/figures.h"
#include "fovea/version.h"
#include "report/html.h"
#include "report/style.h"
#include "watch/page_figures.h"
#include "watch/time_text.h"

namespace fovea {
namespace watching {

using report::escape;
using report::section;
using report::term;

std::string colour_of(const std::string& name, const std::vector<std::string>& classes) {
  const auto place = std::ranges::find(classes, name) - classes.begin();
  return fmt::format("c{}", std::min<std::ptrdiff_t>(place, 7));
}

std::string counts_text(const Summary& summary) {
  std::string text;
  const auto add = [&](std::int64_t count, std::string_view what) {
    if (count > 0) text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count, what);
  };
  for (const auto& [name, count] : summary.classes) add(count, name);
  add(summary.unknown, "unknown");
  add(summary.night, "at night");
  add(summary.faults, "without a picture");
  add(summary.missed, "missed");
  return text;
}

std::string legend(const PageData& data) {
  std::string html = "<p class=\"legend\">";
  const auto add = [&](std::string_view kind, std::string_view name) {
    html += fmt::format(R"(<span><b class="{}"></b>{}</span>)", kind, escape(name));
  };
  for (std::size_t i = 0; i < std::min<std::size_t>(data.classes.size(), 7); ++i) add(fmt::format("c{}", i), data.classes[i]);
  if (data.classes.size() > 7) add("c7", data.classes.size() == 8 ? data.classes[7] : "others");
  add("unknown", "unknown");
  add("night", "night");
  add("bad", "no picture");
  return html + "</p>";
}

std::string share_bars(const std::vector<Summary>& spans, const PageData& data, const char* pattern, std::size_t most) {
  std::string html = "<div class=\"shares\">";
  const std::size_t shown = std::min(most, spans.size());
  for (std::size_t i = spans.size(); i > spans.size() - shown; --i) {
    const Summary& span = spans[i - 1];
    const double all = static_cast<double>(span.classified() + span.unknown);
    html += fmt::format("<span>{}</span><div title=\"{}\">", time_text(std::chrono::sys_seconds(span.first), pattern),
                        escape(counts_text(span)));
    const auto part = [&](std::string_view kind, std::int64_t count) {
      if (count > 0)
        html += fmt::format(R"(<i class="{}" style="width:{:.2f}%"></i>)", kind, 100 * static_cast<double>(count) / all);
    };
    for (const std::string& name : data.classes) {
      const auto found = span.classes.find(name);
      part(colour_of(name, data.classes), found == span.classes.end() ? 0 : found->second);
    }
    part("unknown", span.unknown);
    html += fmt::format("</div><span class=\"count\">{}</span>", counted(span.classified() + span.unknown, "picture"));
  }
  return html + "</div>" + legend(data);
}

namespace {

std::string latest(const PageData& data) {
  const StripSlot& slot = data.strip.back();
  const std::string state = slot.state == SlotState::kNight   ? "night"
                            : slot.state == SlotState::kFault ? "no picture"
                            : slot.rejected                   ? "unknown"
                                                              : slot.label;
  std::string html = "<div>";
  if (!slot.thumbnail.empty()) {
    html += fmt::format(R"(<img src="{}" alt="the latest picture">)", report::data_uri("image/jpeg", slot.thumbnail));
  }
  html += fmt::format("<div class=\"state\">{}</div><p>", escape(state));
  if (slot.state == SlotState::kClassified) {
    html += slot.rejected ? fmt::format("unlike the photos of training; nearest is {}, ", escape(slot.label))
                          : fmt::format("<b>{}</b> sure, ", percent(slot.probability));
  }
  if (slot.state == SlotState::kFault) html += escape(slot.fault) + ", ";
  html += fmt::format("{}</p>", time_text(slot.local, "%Y-%m-%d %H:%M"));
  return html + "</div>";
}

std::string tiles(const PageData& data) {
  Summary all;
  for (const Summary& day : data.days) all.add(day);
  std::string html = "<dl class=\"tiles\">" + term("Pictures", std::to_string(all.classified() + all.unknown)) +
                     term("Days", std::to_string(data.days.size()));
  if (data.strip.back().sun) html += term("Sun", fmt::format("{:.1f}°", *data.strip.back().sun));
  if (all.night > 0) html += term("At night", std::to_string(all.night));
  return html + term("Without a picture", std::to_string(all.faults)) + term("Missed", std::to_string(all.missed)) + "</dl>";
}

std::string troubles(const PageData& data) {
  std::string html = "<figure><ul class=\"skipped\">";
  for (const Trouble& trouble : data.troubles) {
    html += fmt::format("<li>{} <span>{}</span></li>", time_text(trouble.time, "%Y-%m-%d %H:%M UTC"), escape(trouble.text));
  }
  return html + "</ul></figure>\n";
}

}  // namespace

std::string to_html(const PageData& data) {
  std::string html = fmt::format(
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" "
      "content=\"width=device-width, initial-scale=1\">\n<meta name=\"generator\" content=\"Fovea {}\">\n<title>{}</title>\n"
      "<style>{}{}</style>\n</head>\n<body><main>\n<header><p class=\"over\">Fovea watch</p><h1>{}</h1></header>\n"
      "<div class=\"hero\">{}<div>{}</div></div>\n",
      version(), escape(data.title), report::style(), page_style(), escape(data.title), latest(data), tiles(data));
  const std::string today = time_text(std::chrono::sys_seconds(data.today), "%Y-%m-%d");
  html += section(today, "From midnight to midnight, local time. Point at a stripe for its probability.",
                  "<figure>" + strip(data) + "</figure>\n");
  html += section("Calendar", "Each day in the colour of its most frequent class; the stronger, the more of the day.",
                  "<figure>" + calendar(data) + "</figure>\n");
  html += section("Trends", "Shares of the classes among the pictures of a day and of a month.",
                  "<div class=\"pair\">" + report::figure("By day", share_bars(data.days, data, "%a %d %b", 14)) +
                      report::figure("By month", share_bars(data.months, data, "%b %Y", 24)) + "</div>\n");
  if (!data.troubles.empty()) {
    html += section("What went wrong", "The latest faults, gaps and changes.", troubles(data));
  }
  return html + fmt::format(
                    "<footer>Made by Fovea {}. This file needs nothing else and can be passed on; it holds the pictures shown "
                    "above.</footer>\n</main></body>\n</html>\n",
                    version());
}

Result<void> write_page(Store& store, const std::filesystem::path& database, const std::filesystem::path& page) {
  FOVEA_TRY(check_text_output(page));
  FOVEA_ASSIGN(const PageData data, read_page_data(store, database.stem().string()));
  return write_file_atomically(page, to_html(data));
}

}  // namespace watching

Result<void> write_watch_page(const std::filesystem::path& records, const std::filesystem::path& page) {
  FOVEA_ASSIGN(watching::Store store, watching::Store::open(records, database::Access::kReadOnly));
  return watching::write_page(store, records, page);
}

}  // namespace fovea
