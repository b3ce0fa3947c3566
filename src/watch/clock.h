// Fovea: the two clocks that a schedule needs, behind an interface so that a week can be played at speed.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>

namespace fovea::watching {

using WallTime = std::chrono::sys_time<std::chrono::milliseconds>;

class Clock {
 public:
  Clock() = default;
  Clock(const Clock&) = delete;
  Clock& operator=(const Clock&) = delete;
  virtual ~Clock() = default;

  /// What the machine takes for UTC. May jump.
  [[nodiscard]] virtual WallTime now() = 0;
  /// Time that has passed since some moment, also while the machine slept. Never jumps.
  [[nodiscard]] virtual std::chrono::milliseconds elapsed() = 0;
  /// Waits, `wait` at most; a little less is allowed.
  virtual void sleep(std::chrono::milliseconds wait) = 0;
  /// Local time minus UTC at `time`.
  [[nodiscard]] virtual std::chrono::seconds utc_offset(std::chrono::sys_seconds time) = 0;
};

/// The machine's own.
class SystemClock final : public Clock {
 public:
  WallTime now() override;
  std::chrono::milliseconds elapsed() override;
  void sleep(std::chrono::milliseconds wait) override;
  std::chrono::seconds utc_offset(std::chrono::sys_seconds time) override;
};

}  // namespace fovea::watching
