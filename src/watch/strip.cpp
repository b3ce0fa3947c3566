// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "fovea/figures.h"
#include "report/html.h"
#include "watch/page_figures.h"
#include "watch/time_text.h"

namespace fovea::watching {
namespace {

using report::escape;

constexpr double kDay = 86400;

std::string kind_of(const StripSlot& slot, const PageData& data) {
  switch (slot.state) {
    case SlotState::kClassified: return slot.rejected ? "unknown" : colour_of(slot.label, data.classes);
    case SlotState::kNight: return "night";
    case SlotState::kFault: return "bad";
  }
  return "bad";
}

std::string words_of(const StripSlot& slot) {
  std::string text;
  switch (slot.state) {
    case SlotState::kClassified:
      text = fmt::format("{}{} {}", slot.rejected ? "unknown; " : "", slot.label, percent(slot.probability));
      break;
    case SlotState::kNight: text = "night"; break;
    case SlotState::kFault: text = "no picture: " + slot.fault; break;
  }
  if (slot.sun) text += fmt::format(", sun {:.1f}°", *slot.sun);
  return text;
}

/// How wide a stripe is: the smallest distance of two records; ten minutes where that says nothing.
double step_of(const std::vector<StripSlot>& strip) {
  double step = kDay;
  for (std::size_t i = 1; i < strip.size(); ++i) {
    const auto distance = static_cast<double>((strip[i].local - strip[i - 1].local).count());
    if (distance >= 60) step = std::min(step, distance);
  }
  return step <= 3600 ? step : 600;
}

}  // namespace

std::string strip(const PageData& data) {
  const double step = step_of(data.strip);
  std::string html = "<div class=\"day\">";
  for (const StripSlot& slot : data.strip) {
    const auto second = static_cast<double>((slot.local - std::chrono::sys_seconds(data.today)).count());
    html += fmt::format(R"(<i class="{}" style="left:{:.3f}%;width:{:.3f}%" title="{} {}"></i>)", kind_of(slot, data),
                        100 * second / kDay, 100 * std::min(step, kDay - second) / kDay, time_text(slot.local, "%H:%M"),
                        escape(words_of(slot)));
  }
  html += "</div><div class=\"hours\">";
  for (int hour = 0; hour <= 24; hour += 6) html += fmt::format(R"(<span style="left:{}%">{}:00</span>)", hour * 100 / 24, hour);
  html += "</div>" + legend(data) + "<div class=\"pictures\">";
  for (const StripSlot& slot : data.strip) {
    if (slot.thumbnail.empty()) continue;
    html += fmt::format(R"(<div><img loading="lazy" src="{}" alt="{}" title="{}"><b>{}</b> {}</div>)",
                        report::data_uri("image/jpeg", slot.thumbnail), escape(slot.label), escape(words_of(slot)),
                        time_text(slot.local, "%H:%M"), escape(slot.rejected ? "unknown" : slot.label));
  }
  return html + "</div>";
}

}  // namespace fovea::watching
