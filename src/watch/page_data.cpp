// SPDX-License-Identifier: Apache-2.0
#include "watch/page_data.h"

#include <algorithm>

#include "core/error.h"

namespace fovea::watching {
namespace {

using std::chrono::days;
using std::chrono::seconds;
using std::chrono::sys_seconds;

constexpr std::size_t kMostPictures = 24;
constexpr int kMostTroubles = 20;

Result<void> read_strip(Store& store, std::int64_t day, std::vector<StripSlot>& strip, std::vector<std::int64_t>& ids) {
  FOVEA_ASSIGN(
      database::Statement select,
      store.connection().prepare("SELECT s.id, s.time + s.utc_offset, s.state, c.name, p.probability, s.rejected, s.sun, s.fault "
                                 "FROM slots s LEFT JOIN classes c ON c.id = s.class "
                                 "LEFT JOIN probabilities p ON p.slot = s.id AND p.class = s.class "
                                 "WHERE s.day = ?1 ORDER BY s.time, s.id"));
  FOVEA_TRY(select.start(day));
  while (true) {
    FOVEA_ASSIGN(const bool row, select.step());
    if (!row) return {};
    StripSlot slot;
    slot.local = sys_seconds(seconds(select.integer(1)));
    slot.state = static_cast<SlotState>(select.integer(2));
    slot.label = select.text(3);
    slot.probability = select.real(4);
    slot.rejected = select.integer(5) != 0;
    if (!select.is_null(6)) slot.sun = select.real(6);
    slot.fault = select.text(7);
    ids.push_back(select.integer(0));
    strip.push_back(std::move(slot));
  }
}

/// Of at most kMostPictures records that have one, the first and the last among them.
Result<void> read_thumbnails(Store& store, std::vector<StripSlot>& strip, const std::vector<std::int64_t>& ids) {
  FOVEA_ASSIGN(database::Statement select, store.connection().prepare("SELECT jpeg FROM thumbnails WHERE slot = ?1"));
  FOVEA_ASSIGN(database::Statement exists, store.connection().prepare("SELECT 1 FROM thumbnails WHERE slot = ?1"));
  std::vector<std::size_t> have;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    FOVEA_TRY(exists.start(ids[i]));
    FOVEA_ASSIGN(const bool found, exists.step());
    if (found) have.push_back(i);
  }
  const std::size_t shown = std::min(have.size(), kMostPictures);
  for (std::size_t k = 0; k < shown; ++k) {
    const std::size_t i = have[shown == 1 ? have.size() - 1 : k * (have.size() - 1) / (shown - 1)];
    FOVEA_TRY(select.start(ids[i]));
    FOVEA_ASSIGN(const bool found, select.step());
    if (found) strip[i].thumbnail = select.blob(0);
  }
  return {};
}

Result<std::vector<Trouble>> read_troubles(Store& store) {
  FOVEA_ASSIGN(
      database::Statement select,
      store.connection().prepare("SELECT * FROM (SELECT time, 'no picture: ' || fault AS text FROM slots WHERE fault IS NOT NULL "
                                 "UNION ALL SELECT last, 'missed ' || slots || ': ' || reason FROM gaps "
                                 "UNION ALL SELECT time, text FROM events) ORDER BY time DESC LIMIT ?1"));
  FOVEA_TRY(select.start(kMostTroubles));
  std::vector<Trouble> troubles;
  while (true) {
    FOVEA_ASSIGN(const bool row, select.step());
    if (!row) return troubles;
    troubles.push_back({sys_seconds(seconds(select.integer(0))), select.text(1)});
  }
}

std::vector<std::string> by_frequency(const std::vector<Summary>& spans) {
  Summary all;
  for (const Summary& day : spans) all.add(day);
  std::vector<std::string> names;
  for (const auto& [name, count] : all.classes) names.push_back(name);
  std::ranges::stable_sort(names, std::greater(), [&](const std::string& name) { return all.classes.at(name); });
  return names;
}

}  // namespace

Result<PageData> read_page_data(Store& store, std::string title) {
  PageData data;
  data.title = std::move(title);
  FOVEA_ASSIGN(data.days, days_of(store));
  data.months = months_of(data.days);
  data.classes = by_frequency(data.days);
  FOVEA_ASSIGN(database::Statement newest, store.connection().prepare("SELECT day FROM slots ORDER BY id DESC LIMIT 1"));
  FOVEA_ASSIGN(const bool any, newest.step());
  if (!any) return fail(Error::Kind::kNotFound, "{}: no record yet", data.title);
  data.today = std::chrono::sys_days(days(newest.integer(0)));
  std::vector<std::int64_t> ids;
  FOVEA_TRY(read_strip(store, newest.integer(0), data.strip, ids));
  FOVEA_TRY(read_thumbnails(store, data.strip, ids));
  FOVEA_ASSIGN(data.troubles, read_troubles(store));
  return data;
}

}  // namespace fovea::watching
