// Fovea: figures as people read them, the same on a terminal and in a report.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace fovea {

/// "97.8 %", as people read probabilities and accuracies.
[[nodiscard]] std::string percent(double share);
/// "1 photo", "12 photos", "1,234 classes".
[[nodiscard]] std::string counted(std::int64_t count, std::string_view singular);
/// "0.4 s", "12 s", "3 min 20 s", "2 h 5 min".
[[nodiscard]] std::string duration(double seconds);

}  // namespace fovea
