// SPDX-License-Identifier: Apache-2.0
#include "fovea/figures.h"

#include <fmt/format.h>

#include <cmath>

namespace fovea {

std::string percent(double share) { return fmt::format("{:.1f} %", 100 * share); }

std::string counted(std::int64_t count, std::string_view singular) {
  const std::string plain = std::to_string(count);
  std::string digits;
  for (std::size_t i = 0; i < plain.size(); ++i) {
    if (i > 0 && (plain.size() - i) % 3 == 0) digits += ',';
    digits += plain[i];
  }
  return fmt::format("{} {}{}", digits, singular, count == 1 ? "" : singular.ends_with('s') ? "es" : "s");
}

std::string duration(double seconds) {
  if (seconds < 9.95) return fmt::format("{:.1f} s", seconds);
  const auto whole = static_cast<std::int64_t>(std::llround(seconds));
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3600) return fmt::format("{} min {} s", whole / 60, whole % 60);
  return fmt::format("{} h {} min", whole / 3600, whole % 3600 / 60);
}

}  // namespace fovea
