// SPDX-License-Identifier: Apache-2.0
#include "watch/watcher.h"

#include <algorithm>

#include "core/error.h"
#include "image/decode.h"
#include "watch/page.h"
#include "watch/sun.h"

namespace fovea::watching {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::sys_seconds;

namespace {

// A signal may reach any thread, so the sleeping one looks up now and then.
constexpr milliseconds kNap{250};
// The page shows a day; two are kept so that the strip is whole wherever midnight is.
constexpr std::chrono::hours kThumbnailsFor{48};

std::string_view sign(milliseconds by) { return by.count() < 0 ? "back" : "forward"; }

}  // namespace

Watcher::Watcher(const WatchOptions& options, const WatchParts& parts) : options_(options), parts_(parts) {}

void Watcher::note(const std::string& text) {
  if (parts_.observer != nullptr) parts_.observer->on_note(text);
}

void Watcher::warn(const std::string& text) {
  if (parts_.observer != nullptr) parts_.observer->on_warning(text);
}

void Watcher::stored(const Result<void>& result) {
  if (result.ok() && store_broken_) note("the database can be written again; everything that waited is in it");
  if (!result.ok() && !store_broken_) warn(result.error().message + "; records wait in memory and are tried again");
  store_broken_ = !result.ok();
}

void Watcher::sleep(milliseconds wait) {
  const milliseconds end = parts_.clock.elapsed() + wait;
  while (!stopping() && !(options_.reload != nullptr && options_.reload->load())) {
    const milliseconds left = end - parts_.clock.elapsed();
    if (left.count() <= 0) return;
    parts_.clock.sleep(std::min(left, kNap));
  }
}

void Watcher::report(const WatchGap& gap) {
  totals_.missed += gap.slots;
  if (parts_.observer != nullptr) parts_.observer->on_gap(gap);
  stored(parts_.journal.add(gap));
}

void Watcher::report(const ClockJump& jump) {
  const milliseconds by = jump.after - jump.before;
  const auto text = fmt::format("the clock was set {} by {} s", sign(by), std::abs(by.count()) / 1000);
  note(text);
  stored(parts_.journal.add_event(now(), text));
}

void Watcher::reload_if_asked() {
  if (options_.reload == nullptr || !options_.reload->exchange(false)) return;
  const Result<void> reloaded = parts_.judge.reload();
  const std::string text = reloaded.ok() ? "the model was read anew" : "the old model goes on: " + reloaded.error().message;
  totals_.reloads += reloaded.ok() ? 1 : 0;
  if (reloaded.ok()) {
    note(text);
  } else {
    warn(text);
  }
  stored(parts_.journal.add_event(now(), text));
}

void Watcher::keep(const Picture& picture, WatchRecord& record, Kept& kept) {
  if (options_.keep == KeepPhotos::kNone) return;
  DecodeOptions scaled;
  scaled.shorter_side_needed = kThumbnailSide;
  const Result<Image> photo = decode_image(picture, scaled);
  if (!photo) return;  // the judge has read it: not to be expected
  kept.thumbnail = parts_.photos.page_picture(*photo);
  const auto file = parts_.photos.keep(record.time, picture, *photo);
  if (file) {
    record.photo = file->path;
    kept.photo_bytes = file->bytes;
  } else {
    ++totals_.photos_not_kept;
    warn("the photo was not kept: " + file.error().message);
  }
}

WatchRecord Watcher::look(sys_seconds time, Kept& kept) {
  WatchRecord record;
  record.time = time;
  record.utc_offset = parts_.clock.utc_offset(time);
  if (options_.place) record.sun = sun_height(time, *options_.place);
  if (record.sun && *record.sun < options_.night_below) {
    record.state = SlotState::kNight;
    return record;
  }
  const Result<Picture> picture = parts_.source.take(options_.time_limit);
  if (!picture) {
    record.fault = picture.error().message;
    return record;
  }
  Result<Answer> answer = parts_.judge.classify(*picture);
  if (!answer) {
    record.fault = "the camera's picture: " + answer.error().message;
    return record;
  }
  record.state = SlotState::kClassified;
  record.predictions = std::move(answer->predictions);
  record.rejected = answer->rejected;
  keep(*picture, record, kept);
  return record;
}

void Watcher::after_record(sys_seconds time) {
  if (!store_broken_) {
    const auto store = parts_.journal.store();
    if (!store) return stored(store.error());
    const Result<std::int64_t> removed = parts_.photos.trim(**store);
    if (removed) totals_.photos_removed += *removed;
    if (!removed) warn(removed.error().message);
    if (auto forgotten = (*store)->forget_thumbnails(time - kThumbnailsFor); !forgotten) warn(forgotten.error().message);
    if (!options_.page.empty()) {
      const Result<void> written = write_page(**store, options_.database, options_.page);
      if (!written.ok() && !page_broken_) warn("the page was not written: " + written.error().message);
      page_broken_ = !written.ok();
    }
  }
  if (parts_.sink != nullptr) {
    totals_.messages_not_sent = parts_.sink->not_sent();
    if (const std::string news = parts_.sink->news(); !news.empty()) note(news);
  }
}

void Watcher::take(sys_seconds time) {
  Kept kept;
  const WatchRecord record = look(time, kept);
  switch (record.state) {
    case SlotState::kClassified: ++totals_.classified; break;
    case SlotState::kNight: ++totals_.night; break;
    case SlotState::kFault: ++totals_.faults; break;
  }
  if (parts_.observer != nullptr) parts_.observer->on_record(record);
  stored(parts_.journal.add(record, std::move(kept)));
  totals_.not_stored = parts_.journal.given_up();
  if (parts_.sink != nullptr) parts_.sink->tell(record);
  after_record(time);
}

Result<WatchTotals> Watcher::run() {
  FOVEA_ASSIGN(Store * store, parts_.journal.store());
  if (options_.once) {
    take(now());
    return totals_;
  }
  FOVEA_ASSIGN(const auto newest, store->newest());
  Schedule schedule(options_.every, {parts_.clock.now(), parts_.clock.elapsed()}, newest);
  while (!stopping()) {
    const Schedule::Step step = schedule.step({parts_.clock.now(), parts_.clock.elapsed()});
    if (step.jump) report(*step.jump);
    for (const WatchGap& gap : step.gaps) report(gap);
    reload_if_asked();
    if (step.due) {
      take(*step.due);
    } else {
      sleep(step.wait);
    }
  }
  stored(parts_.journal.flush());
  if (parts_.journal.waiting() > 0) {
    warn(fmt::format("{} records could not be stored and are lost", parts_.journal.waiting()));
    totals_.not_stored += static_cast<std::int64_t>(parts_.journal.waiting());
  }
  return totals_;
}

}  // namespace fovea::watching
