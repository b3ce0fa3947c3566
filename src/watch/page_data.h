// Fovea: what the page of a database shows, read in one go.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "watch/summary.h"

namespace fovea::watching {

/// A record of the day that the strip shows, with only what that needs.
struct StripSlot {
  std::chrono::sys_seconds local{};  ///< time and offset
  SlotState state = SlotState::kFault;
  std::string label;
  double probability = 0;
  bool rejected = false;
  std::optional<double> sun;
  std::string fault;
  std::vector<std::byte> thumbnail;  ///< of some, spread over the day
};

struct Trouble {
  std::chrono::sys_seconds time{};  ///< UTC
  std::string text;
};

struct PageData {
  std::string title;
  std::vector<Summary> days;         ///< in order
  std::vector<Summary> months;       ///< in order
  std::vector<std::string> classes;  ///< most pictures first
  std::chrono::sys_days today{};     ///< the local date of the newest record
  std::vector<StripSlot> strip;      ///< its records, in order of time
  std::vector<Trouble> troubles;     ///< gaps, faults and events, the newest first
};

/// kNotFound while there is no record.
Result<PageData> read_page_data(Store& store, std::string title);

}  // namespace fovea::watching
