// Fovea: the pieces that a page is made of. Everything a function takes as text is escaped; what it takes as html is not.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace fovea::report {

/// Text for element content and for attributes in either kind of quotes. Control characters and what is not UTF-8 become "?".
[[nodiscard]] std::string escape(std::string_view text);

/// "data:image/jpeg;base64,..." (RFC 4648).
[[nodiscard]] std::string data_uri(std::string_view type, std::span<const std::byte> bytes);

/// A heading, a sentence that says how to read it, and the rest.
[[nodiscard]] std::string section(std::string_view title, std::string_view lead, std::string_view html);
/// A drawing or table with a caption above.
[[nodiscard]] std::string figure(std::string_view caption, std::string_view html);
/// A term and what it is, for a <dl>.
[[nodiscard]] std::string term(std::string_view name, std::string_view value);
/// A bar that is `share` of its cell long.
[[nodiscard]] std::string bar(double share, std::string_view kind = "");

}  // namespace fovea::report
