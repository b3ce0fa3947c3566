// Fovea: when the next picture is due.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "fovea/watch.h"
#include "watch/clock.h"

namespace fovea::watching {

/// The wall clock and the passed time, read together.
struct Moment {
  WallTime wall;
  std::chrono::milliseconds elapsed{};
};

/// The wall clock was set, which daylight saving does not do: UTC has none.
struct ClockJump {
  WallTime before;  ///< where the wall clock would be
  WallTime after;   ///< where it is
};

/// Times of the grid that has a point at 1970-01-01 00:00 UTC and one every `every` from there. No time is given twice unless the
/// wall clock was set back by a whole step or more: then the grid is followed anew from there, since the clock was wrong before.
/// Times that pass unused are counted as missed; those that a clock set forward jumps over never were, and are not. When between
/// two looks the clock was set is not known, so a time that may have come since the last look counts as come.
class Schedule {
 public:
  /// `last`: the newest time of an earlier run. Those since then are missed, "fovea watch did not run".
  Schedule(std::chrono::seconds every, Moment start, std::optional<std::chrono::sys_seconds> last);

  struct Step {
    std::optional<std::chrono::sys_seconds> due;  ///< take a picture for this time, now
    std::chrono::milliseconds wait{};             ///< where nothing is due: look again after this at the latest
    std::optional<ClockJump> jump;
    std::vector<WatchGap> gaps;
  };
  /// What `now` asks for. To be called at least every `kLongestWait`, so that a clock that is set shows soon.
  Step step(Moment now);

  static constexpr std::chrono::seconds kLongestWait{10};
  /// Less is the small change of a clock that is kept in step.
  static constexpr std::chrono::seconds kLeastJump{2};

 private:
  [[nodiscard]] std::chrono::sys_seconds at_or_after(WallTime time) const;
  [[nodiscard]] std::chrono::sys_seconds at_or_before(WallTime time) const;
  /// A gap from next_ to before `end`, if any time of the grid lies there; next_ becomes `end`.
  void skip_to(std::chrono::sys_seconds end, const char* reason, std::vector<WatchGap>& gaps);
  void follow_jump(const ClockJump& jump, std::chrono::milliseconds since_look, Step& step);

  std::chrono::seconds every_;
  std::chrono::sys_seconds next_;
  Moment seen_;
  std::vector<WatchGap> at_start_;
};

}  // namespace fovea::watching
