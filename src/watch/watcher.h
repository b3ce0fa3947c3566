// Fovea: the loop of a watch, over parts that are given to it.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <span>
#include <string>

#include "fovea/watch.h"
#include "watch/clock.h"
#include "watch/journal.h"
#include "watch/photo_keeper.h"
#include "watch/schedule.h"
#include "watch/source.h"

namespace fovea::watching {

/// What names the pictures.
class Judge {
 public:
  Judge() = default;
  Judge(const Judge&) = delete;
  Judge& operator=(const Judge&) = delete;
  virtual ~Judge() = default;
  virtual Result<Answer> classify(std::span<const std::byte> picture) = 0;
  /// The model from its file anew. On an Error the old one goes on.
  virtual Result<void> reload() = 0;
};

/// Whom records are told to besides the database. Never waits, never fails: what could not be told is counted.
class Sink {
 public:
  Sink() = default;
  Sink(const Sink&) = delete;
  Sink& operator=(const Sink&) = delete;
  virtual ~Sink() = default;
  virtual void tell(const WatchRecord& record) = 0;
  [[nodiscard]] virtual std::int64_t not_sent() const = 0;
  /// What people should know since the last call: "lost the broker: ..."; empty mostly.
  [[nodiscard]] virtual std::string news() = 0;
};

struct WatchParts {
  Clock& clock;
  Source& source;
  Judge& judge;
  Journal& journal;
  const PhotoKeeper& photos;
  Sink* sink = nullptr;
  WatchObserver* observer = nullptr;
};

class Watcher {
 public:
  Watcher(const WatchOptions& options, const WatchParts& parts);

  /// Until options.stop is set; with options.once, one picture.
  Result<WatchTotals> run();

 private:
  [[nodiscard]] bool stopping() const { return options_.stop != nullptr && options_.stop->load(); }
  void sleep(std::chrono::milliseconds wait);
  void take(std::chrono::sys_seconds time);
  [[nodiscard]] WatchRecord look(std::chrono::sys_seconds time, Kept& kept);
  void keep(const Picture& picture, WatchRecord& record, Kept& kept);
  void after_record(std::chrono::sys_seconds time);
  void report(const WatchGap& gap);
  void report(const ClockJump& jump);
  void reload_if_asked();
  void stored(const Result<void>& result);
  void note(const std::string& text);
  void warn(const std::string& text);
  [[nodiscard]] std::chrono::sys_seconds now() { return std::chrono::floor<std::chrono::seconds>(parts_.clock.now()); }

  const WatchOptions& options_;
  WatchParts parts_;
  WatchTotals totals_;
  bool store_broken_ = false;  ///< said already
  bool page_broken_ = false;
};

}  // namespace fovea::watching
