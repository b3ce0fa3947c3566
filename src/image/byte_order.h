// Fovea: integers out of untrusted bytes.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/file.h"

namespace fovea {

enum class ByteOrder : std::uint8_t { kLittle, kBig };

/// Unsigned integer of `size` (1 to 4) bytes at `at`; 0 where the bytes end before it does.
[[nodiscard]] inline std::uint32_t read_uint(Bytes bytes, std::size_t at, std::size_t size, ByteOrder order) {
  if (at > bytes.size() || size > bytes.size() - at) return 0;
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < size; ++i) {
    value = value << 8U | std::to_integer<std::uint32_t>(bytes[at + (order == ByteOrder::kBig ? i : size - 1 - i)]);
  }
  return value;
}

/// Whether `text` stands at `at`.
[[nodiscard]] inline bool has_at(Bytes bytes, std::size_t at, std::string_view text) {
  return at <= bytes.size() && text.size() <= bytes.size() - at &&
         std::ranges::equal(text, bytes.subspan(at, text.size()), {}, [](char c) { return static_cast<std::byte>(c); });
}

}  // namespace fovea
