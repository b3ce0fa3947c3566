// Fovea: what the days of a database come to.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "watch/store.h"

namespace fovea::watching {

/// A local date, or a month of them.
struct Summary {
  std::chrono::sys_days first{};                ///< of the span, local
  std::map<std::string, std::int64_t> classes;  ///< pictures by their most probable class, those rejected apart
  std::int64_t unknown = 0;                     ///< rejected
  std::int64_t night = 0;
  std::int64_t faults = 0;
  std::int64_t missed = 0;  ///< in gaps, counted on the date on which the gap ended

  [[nodiscard]] std::int64_t classified() const;  ///< of a known class
  /// The class with most pictures, the first by name among equals; empty where there is none.
  [[nodiscard]] std::string top() const;
  [[nodiscard]] double share(const std::string& name) const;  ///< of classified(); 0 where that is 0
  void add(const Summary& other);
};

/// Of every date that has a record or the end of a gap, in order. Gaps take the offset from UTC of the record before them.
Result<std::vector<Summary>> days_of(Store& store);
/// The same by month; `first` is the month's first day.
[[nodiscard]] std::vector<Summary> months_of(const std::vector<Summary>& days);

}  // namespace fovea::watching
