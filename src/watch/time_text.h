// Fovea: times as people and programs read them.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/chrono.h>

#include <chrono>
#include <string>

namespace fovea::watching {

/// `time` by a pattern of strftime, as UTC.
[[nodiscard]] inline std::string time_text(std::chrono::sys_seconds time, const char* pattern) {
  return fmt::format(fmt::runtime(fmt::format("{{:{}}}", pattern)),
                     fmt::gmtime(static_cast<std::time_t>(time.time_since_epoch().count())));
}

/// "2026-11-22T18:40:00Z"
[[nodiscard]] inline std::string utc_text(std::chrono::sys_seconds time) { return time_text(time, "%Y-%m-%dT%H:%M:%SZ"); }

}  // namespace fovea::watching
