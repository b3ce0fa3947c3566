// SPDX-License-Identifier: Apache-2.0
#include "watch/journal.h"

#include <algorithm>
#include <utility>

#include "core/error.h"

namespace fovea::watching {
namespace {

constexpr std::string_view kGivenUp = "the database could not be written";

}  // namespace

Result<Store*> Journal::store() {
  if (!store_) {
    FOVEA_ASSIGN(store_, open_());
  }
  return &*store_;
}

Result<void> Journal::write(Store& store, const Entry& entry) {
  if (const auto* record = std::get_if<Record>(&entry)) return store.add(record->record, record->kept);
  if (const auto* gap = std::get_if<WatchGap>(&entry)) return store.add(*gap);
  const auto& event = std::get<Event>(entry);
  return store.add_event(event.time, event.text);
}

Result<void> Journal::flush() {
  while (!waiting_.empty()) {
    FOVEA_ASSIGN(Store * open, store());
    if (auto written = write(*open, waiting_.front()); !written) {
      store_.reset();
      return written;
    }
    waiting_.pop_front();
  }
  return {};
}

void Journal::give_up_oldest() {
  const auto oldest = std::ranges::find_if(waiting_, [](const Entry& entry) { return std::holds_alternative<Record>(entry); });
  if (oldest == waiting_.end()) {
    // Gaps and events only: a gap is never dropped, an event is no time of the schedule.
    const auto event = std::ranges::find_if(waiting_, [](const Entry& entry) { return std::holds_alternative<Event>(entry); });
    if (event != waiting_.end()) waiting_.erase(event);
    return;
  }
  const auto time = std::get<Record>(*oldest).record.time;
  std::error_code ignored;
  if (!std::get<Record>(*oldest).record.photo.empty()) std::filesystem::remove(std::get<Record>(*oldest).record.photo, ignored);
  ++given_up_;
  // One gap for all that are given up in a row.
  if (oldest != waiting_.begin()) {
    auto* before = std::get_if<WatchGap>(&*std::prev(oldest));
    if (before != nullptr && before->reason == kGivenUp) {
      before->last = time;
      ++before->slots;
      waiting_.erase(oldest);
      return;
    }
  }
  *oldest = WatchGap{time, time, 1, std::string(kGivenUp)};
}

Result<void> Journal::push(Entry entry) {
  waiting_.push_back(std::move(entry));
  auto result = flush();
  if (waiting_.size() > most_waiting_) give_up_oldest();
  return result;
}

Result<void> Journal::add(WatchRecord record, Kept kept) { return push(Record{std::move(record), std::move(kept)}); }
Result<void> Journal::add(const WatchGap& gap) { return push(gap); }
Result<void> Journal::add_event(std::chrono::sys_seconds time, std::string text) { return push(Event{time, std::move(text)}); }

}  // namespace fovea::watching
