// Fovea: short ways to make and pass on an Error.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>

#include "fovea/result.h"

namespace fovea {

/// Formats an Error: `return fail(Error::Kind::kFormat, "{}: {} bytes, expected {}", path, got, want);`
template <class... Args>
[[nodiscard]] Error fail(Error::Kind kind, fmt::format_string<Args...> format, Args&&... args) {
  return Error{kind, fmt::format(format, std::forward<Args>(args)...)};
}

/// The text of an errno value, as strerror gives it, but safe with threads.
[[nodiscard]] std::string errno_text(int code);

/// Whether `text` is well-formed UTF-8.
[[nodiscard]] bool is_utf8(std::string_view text);

/// `text` with control characters and invalid UTF-8 shown as escapes, cut to `limit` characters:
/// what an error message may quote from an untrusted file.
[[nodiscard]] std::string printable(std::string_view text, std::size_t limit = 80);

}  // namespace fovea

/// Returns the error of a failed Result from the enclosing function.
#define FOVEA_TRY(expression)                                                         \
  do {                                                                                \
    if (auto fovea_status = (expression); !fovea_status) return fovea_status.error(); \
  } while (false)

#define FOVEA_CONCAT_INNER(a, b) a##b
#define FOVEA_CONCAT(a, b) FOVEA_CONCAT_INNER(a, b)
/// `FOVEA_ASSIGN(auto bytes, read_file(path));` declares `bytes`, or returns the error.
#define FOVEA_ASSIGN(declaration, expression) FOVEA_ASSIGN_INNER(FOVEA_CONCAT(fovea_result_, __LINE__), declaration, expression)
#define FOVEA_ASSIGN_INNER(name, declaration, expression) \
  auto name = (expression);                               \
  if (!name) return name.error();                         \
  declaration = std::move(name).value()
