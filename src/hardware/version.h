// Fovea: versions of drivers and libraries, as numbers that compare.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>

namespace fovea::hardware {

/// "580.65.06" compares by its first two numbers: those after tell builds apart.
struct Version {
  int major = 0;
  int minor = 0;
  auto operator<=>(const Version&) const = default;  // NOLINT(modernize-use-nullptr): means the 0 that the compiler makes
};

/// The numbers at the beginning of `text`; nothing if it does not begin with a digit or a number is absurdly long.
[[nodiscard]] std::optional<Version> parse_version(std::string_view text);
/// "12.4"
[[nodiscard]] std::string to_string(const Version& version);

}  // namespace fovea::hardware
