// Fovea: characters into UTF-8.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace fovea::metadata {

/// `code`: a Unicode scalar value.
void append_utf8(std::string& out, std::uint32_t code);
[[nodiscard]] std::string utf8_from_latin1(std::string_view text);

}  // namespace fovea::metadata
