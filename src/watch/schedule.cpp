// SPDX-License-Identifier: Apache-2.0
#include "watch/schedule.h"

#include <algorithm>
#include <utility>

namespace fovea::watching {

using std::chrono::ceil;
using std::chrono::floor;
using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::sys_seconds;

Schedule::Schedule(seconds every, Moment start, std::optional<sys_seconds> last) : every_(every), seen_(start) {
  const sys_seconds first = at_or_after(start.wall);
  next_ = first;
  // A newest time far ahead was given by a clock that was wrong.
  if (!last || *last - first >= every_) return;
  next_ = at_or_after(*last + every_);  // an earlier run may have had another step: onto this one's grid
  skip_to(first, "fovea watch did not run", at_start_);
}

sys_seconds Schedule::at_or_before(WallTime time) const {
  const auto steps = floor<seconds>(time.time_since_epoch()).count();
  const auto every = every_.count();
  return sys_seconds(seconds((steps >= 0 ? steps / every : -((-steps + every - 1) / every)) * every));
}

sys_seconds Schedule::at_or_after(WallTime time) const {
  const sys_seconds before = at_or_before(time);
  return before == time ? before : before + every_;
}

void Schedule::skip_to(sys_seconds end, const char* reason, std::vector<WatchGap>& gaps) {
  const auto slots = (end - next_) / every_;
  if (slots > 0) gaps.push_back({next_, next_ + (slots - 1) * every_, slots, reason});
  next_ = std::max(next_, end);
}

void Schedule::follow_jump(const ClockJump& jump, milliseconds since_look, Step& step) {
  step.jump = jump;
  const WallTime first_after = jump.after - since_look;
  if (jump.after > jump.before) {
    // Due before the jump and not yet taken is missed; what was jumped over never came.
    skip_to(std::max(next_, at_or_before(jump.before) + every_), "late: the clock was set at that moment", step.gaps);
    if (next_ < first_after) next_ = at_or_after(first_after);
  } else if (next_ - jump.after >= 2 * every_) {
    next_ = at_or_after(first_after);
  }
}

Schedule::Step Schedule::step(Moment now) {
  Step step;
  step.gaps = std::exchange(at_start_, {});
  const milliseconds since_look = now.elapsed - seen_.elapsed;
  const ClockJump jump{seen_.wall + since_look, now.wall};
  seen_ = now;
  const milliseconds by = jump.after - jump.before;
  if (by >= kLeastJump || by <= -kLeastJump) follow_jump(jump, since_look, step);
  if (next_ > now.wall) {
    step.wait = std::min<milliseconds>(next_ - now.wall, kLongestWait);
    return step;
  }
  skip_to(at_or_before(now.wall), "late: the machine slept, or the picture before took too long", step.gaps);
  step.due = next_;
  next_ += every_;
  return step;
}

}  // namespace fovea::watching
