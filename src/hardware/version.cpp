// SPDX-License-Identifier: Apache-2.0
#include "hardware/version.h"

#include <fmt/format.h>

#include <charconv>

namespace fovea::hardware {

std::optional<Version> parse_version(std::string_view text) {
  Version version;
  const auto first = std::from_chars(text.data(), text.data() + text.size(), version.major);
  if (first.ec != std::errc() || version.major < 0) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(first.ptr - text.data()));
  if (text.size() < 2 || text.front() != '.') return version;
  text.remove_prefix(1);
  const auto second = std::from_chars(text.data(), text.data() + text.size(), version.minor);
  if (second.ec != std::errc() || version.minor < 0) version.minor = 0;
  return version;
}

std::string to_string(const Version& version) { return fmt::format("{}.{}", version.major, version.minor); }

}  // namespace fovea::hardware
