// SPDX-License-Identifier: Apache-2.0
#include "scale/weight_text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <string>
#include <utility>

namespace fovea::checkout {
namespace {

// Beyond this it is no checkout scale but a broken line.
constexpr double kMostGrams = 1e6;

constexpr double kGramsPerPound = 453.59237;

void skip_blanks(std::string_view& text) {
  while (!text.empty() && (static_cast<unsigned char>(text.front()) <= ' ' || text.front() == ',')) text.remove_prefix(1);
}

bool take(std::string_view& text, std::string_view word) {
  if (!text.starts_with(word)) return false;
  text.remove_prefix(word.size());
  return true;
}

/// "+  0.123", "-12", "0,5"
std::optional<double> take_number(std::string_view& text) {
  const bool minus = text.starts_with('-');
  if (minus || text.starts_with('+')) text.remove_prefix(1);
  skip_blanks(text);
  std::string digits;
  bool point = false;
  while (!text.empty()) {
    const char c = text.front();
    const bool is_point = (c == '.' || c == ',') && !point && !digits.empty();
    if (!is_point && (c < '0' || c > '9')) break;
    point = point || is_point;
    digits += is_point ? '.' : c;
    text.remove_prefix(1);
  }
  double value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (digits.empty() || error != std::errc()) return std::nullopt;
  return minus ? -value : value;
}

/// Of what is left of the line; none for a word that is no unit.
std::optional<double> unit_of(std::string_view text, WeightUnit fallback) {
  skip_blanks(text);
  constexpr std::array<std::pair<std::string_view, WeightUnit>, 5> kUnits{{{"kg", WeightUnit::kKilogram},
                                                                           {"g", WeightUnit::kGram},
                                                                           {"lb", WeightUnit::kPound},
                                                                           {"oz", WeightUnit::kOunce},
                                                                           {"G", WeightUnit::kGram}}};
  for (const auto& [name, unit] : kUnits) {
    if (take(text, name)) {
      take(text, "s");
      skip_blanks(text);
      return text.empty() ? std::optional(grams_per(unit)) : std::nullopt;
    }
  }
  return text.empty() ? std::optional(grams_per(fallback)) : std::nullopt;
}

/// The status in front of the number.
std::optional<bool> take_status(std::string_view& text) {
  constexpr std::array<std::pair<std::string_view, bool>, 5> kStatus{
      {{"ST", true}, {"US", false}, {"SD", false}, {"S S", true}, {"S D", false}}};
  const auto* const found = std::ranges::find_if(kStatus, [&](const auto& status) { return take(text, status.first); });
  const std::optional<bool> stable = found == kStatus.end() ? std::nullopt : std::optional(found->second);
  skip_blanks(text);
  for (const std::string_view kind : {"GS", "NT", "TR", "G", "N"}) {
    if (take(text, kind)) break;
  }
  skip_blanks(text);
  return stable;
}

}  // namespace

double grams_per(WeightUnit unit) {
  switch (unit) {
    case WeightUnit::kGram: return 1;
    case WeightUnit::kKilogram: return 1000;
    case WeightUnit::kOunce: return kGramsPerPound / 16;
    case WeightUnit::kPound: return kGramsPerPound;
  }
  return 1;
}

std::optional<WeightReport> parse_weight(std::string_view line, WeightUnit unit) {
  skip_blanks(line);
  const std::optional<bool> stable = take_status(line);
  const std::optional<double> number = take_number(line);
  if (!number) return std::nullopt;
  const std::optional<double> factor = unit_of(line, unit);
  if (!factor || std::abs(*number * *factor) > kMostGrams) return std::nullopt;
  return WeightReport{*number * *factor, stable};
}

std::optional<WeightReport> parse_weight_report(std::span<const std::byte> report) {
  constexpr std::size_t kBytes = 6;
  if (report.size() < kBytes || report[0] != std::byte{3}) return std::nullopt;
  const auto at = [&](std::size_t i) { return std::to_integer<unsigned>(report[i]); };
  enum Status : unsigned { kStableAtZero = 2, kInMotion = 3, kStable = 4, kUnderZero = 5 };
  const unsigned status = at(1);
  if (status < kStableAtZero || status > kUnderZero) return std::nullopt;
  std::optional<WeightUnit> unit;
  switch (at(2)) {
    case 2: unit = WeightUnit::kGram; break;
    case 3: unit = WeightUnit::kKilogram; break;
    case 11: unit = WeightUnit::kOunce; break;
    case 12: unit = WeightUnit::kPound; break;
    default: return std::nullopt;
  }
  const int exponent = static_cast<int>(at(3)) - (at(3) >= 128 ? 256 : 0);
  const double grams = (at(4) | at(5) << 8) * std::pow(10.0, exponent) * grams_per(*unit);
  if (grams > kMostGrams) return std::nullopt;
  return WeightReport{status == kUnderZero ? -grams : grams, status != kInMotion};
}

bool says_no_weight(std::string_view line) {
  skip_blanks(line);
  if (line.starts_with("OL")) return true;
  if (!take(line, "S")) return false;
  skip_blanks(line);
  return line == "+" || line == "-";
}

bool says_no_weight(std::span<const std::byte> report) {
  if (report.size() < 2 || report[0] != std::byte{3}) return false;
  const auto status = std::to_integer<unsigned>(report[1]);
  return status == 1 || (status >= 6 && status <= 8);
}

}  // namespace fovea::checkout
