// Fovea: records on their way into the database, through times in which it cannot take them.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <variant>

#include "watch/store.h"

namespace fovea::watching {

/// What cannot be stored (a full disk, a lock) waits in memory, in order, and is tried again with everything that follows. Past
/// `most_waiting` the oldest record is given up and counted in a gap, which needs room for one row however many it counts.
class Journal {
 public:
  using Open = std::function<Result<Store>()>;
  explicit Journal(Open open, std::size_t most_waiting = 1008) : open_(std::move(open)), most_waiting_(most_waiting) {}

  /// An Error says why everything still waits; nothing is lost by it.
  Result<void> add(WatchRecord record, Kept kept);
  Result<void> add(const WatchGap& gap);
  Result<void> add_event(std::chrono::sys_seconds time, std::string text);
  /// Tries again to store what waits.
  Result<void> flush();

  /// Opened if it is not; closed after every failure, since the file may have been replaced.
  Result<Store*> store();
  [[nodiscard]] std::size_t waiting() const { return waiting_.size(); }
  [[nodiscard]] std::int64_t given_up() const { return given_up_; }

 private:
  struct Record {
    WatchRecord record;
    Kept kept;
  };
  struct Event {
    std::chrono::sys_seconds time;
    std::string text;
  };
  using Entry = std::variant<Record, WatchGap, Event>;

  Result<void> push(Entry entry);
  void give_up_oldest();
  static Result<void> write(Store& store, const Entry& entry);

  Open open_;
  std::size_t most_waiting_;
  std::optional<Store> store_;
  std::deque<Entry> waiting_;
  std::int64_t given_up_ = 0;
};

}  // namespace fovea::watching
