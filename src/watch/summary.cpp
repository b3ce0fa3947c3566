// SPDX-License-Identifier: Apache-2.0
#include "watch/summary.h"

#include <algorithm>

#include "core/error.h"

namespace fovea::watching {
namespace {

using std::chrono::sys_days;

constexpr const char* kSlots =
    "SELECT s.day, s.state, s.rejected, c.name, count(*) FROM slots s LEFT JOIN classes c ON c.id = s.class "
    "GROUP BY s.day, s.state, s.rejected, s.class";
constexpr const char* kGaps =
    "SELECT (last + coalesce((SELECT utc_offset FROM slots WHERE time <= last ORDER BY time DESC LIMIT 1), 0)) / 86400, slots "
    "FROM gaps";

Summary& of_day(std::map<std::int64_t, Summary>& by_day, std::int64_t day) {
  Summary& summary = by_day[day];
  summary.first = sys_days(std::chrono::days(day));
  return summary;
}

}  // namespace

std::int64_t Summary::classified() const {
  std::int64_t sum = 0;
  for (const auto& [name, count] : classes) sum += count;
  return sum;
}

std::string Summary::top() const {
  const auto most = std::ranges::max_element(classes, {}, [](const auto& entry) { return entry.second; });
  return most == classes.end() ? std::string() : most->first;
}

double Summary::share(const std::string& name) const {
  const auto found = classes.find(name);
  const std::int64_t all = classified();
  return found == classes.end() || all == 0 ? 0 : static_cast<double>(found->second) / static_cast<double>(all);
}

void Summary::add(const Summary& other) {
  for (const auto& [name, count] : other.classes) classes[name] += count;
  unknown += other.unknown;
  night += other.night;
  faults += other.faults;
  missed += other.missed;
}

Result<std::vector<Summary>> days_of(Store& store) {
  std::map<std::int64_t, Summary> by_day;
  FOVEA_ASSIGN(database::Statement slots, store.connection().prepare(kSlots));
  while (true) {
    FOVEA_ASSIGN(const bool row, slots.step());
    if (!row) break;
    Summary& day = of_day(by_day, slots.integer(0));
    const std::int64_t count = slots.integer(4);
    switch (static_cast<SlotState>(slots.integer(1))) {
      case SlotState::kClassified: (slots.integer(2) != 0 ? day.unknown : day.classes[slots.text(3)]) += count; break;
      case SlotState::kNight: day.night += count; break;
      case SlotState::kFault: day.faults += count; break;
    }
  }
  FOVEA_ASSIGN(database::Statement gaps, store.connection().prepare(kGaps));
  while (true) {
    FOVEA_ASSIGN(const bool row, gaps.step());
    if (!row) break;
    of_day(by_day, gaps.integer(0)).missed += gaps.integer(1);
  }
  std::vector<Summary> all;
  all.reserve(by_day.size());
  for (auto& [day, summary] : by_day) all.push_back(std::move(summary));
  return all;
}

std::vector<Summary> months_of(const std::vector<Summary>& days) {
  std::vector<Summary> months;
  for (const Summary& day : days) {
    const std::chrono::year_month_day date(day.first);
    const sys_days first(date.year() / date.month() / 1);
    if (months.empty() || months.back().first != first) {
      months.emplace_back();
      months.back().first = first;
    }
    months.back().add(day);
  }
  return months;
}

}  // namespace fovea::watching
