// SPDX-License-Identifier: Apache-2.0
#include "watch/clock.h"

#include <ctime>
#include <thread>

namespace fovea::watching {

WallTime SystemClock::now() { return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now()); }

std::chrono::milliseconds SystemClock::elapsed() {
  timespec time{};
  clock_gettime(CLOCK_BOOTTIME, &time);  // steady_clock stands still while the machine sleeps
  return std::chrono::floor<std::chrono::milliseconds>(std::chrono::seconds(time.tv_sec) +
                                                       std::chrono::nanoseconds(time.tv_nsec));
}

void SystemClock::sleep(std::chrono::milliseconds wait) { std::this_thread::sleep_for(wait); }

std::chrono::seconds SystemClock::utc_offset(std::chrono::sys_seconds time) {
  const std::time_t seconds = time.time_since_epoch().count();
  std::tm local{};
  return std::chrono::seconds(localtime_r(&seconds, &local) == nullptr ? 0 : local.tm_gmtoff);
}

}  // namespace fovea::watching
