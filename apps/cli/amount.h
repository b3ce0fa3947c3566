// Fovea: flags whose value is a number with a unit.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <array>
#include <charconv>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace fovea::cli {

using Unit = std::pair<std::string_view, double>;

/// "10m" as so many of the units; none for what is no such thing.
[[nodiscard]] inline std::optional<double> amount(std::string_view text, std::span<const Unit> units) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || !(number >= 0 && number <= 1e15)) return std::nullopt;
  const std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
  for (const auto& [name, factor] : units) {
    if (unit == name) return number * factor;
  }
  return std::nullopt;
}

inline constexpr std::array<Unit, 5> kTimes{{{"ms", 0.001}, {"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86400}}};
inline constexpr std::array<Unit, 4> kSizes{{{"k", 1e3}, {"M", 1e6}, {"G", 1e9}, {"T", 1e12}}};

/// A flag whose value is a number with a unit.
template <class Take>
CLI::Option* add_amount(CLI::App& app, const std::string& name, std::span<const Unit> units, const std::string& example,
                        const std::string& text, const Take& take) {
  return app
      .add_option_function<std::string>(
          name, [units, take](const std::string& value) { take(*amount(value, units)); }, text)
      ->check(CLI::Validator(
          [units, example](const std::string& value) {
            if (amount(value, units)) return std::string();
            std::string names;
            for (const auto& [unit, factor] : units) names += (names.empty() ? "" : ", ") + std::string(unit);
            return fmt::format("'{}' is not a number with a unit ({}), such as {}", value, names, example);
          },
          ""))
      ->type_name(example);
}

}  // namespace fovea::cli
