// SPDX-License-Identifier: Apache-2.0
#include "core/output_file.h"

#include <algorithm>
#include <system_error>

#include "core/error.h"
#include "core/file.h"

namespace fovea {
namespace {

namespace fs = std::filesystem;

/// Text has no control characters but for blanks and line ends (and a form feed); what is not text has some early on.
bool begins_as_text(const fs::path& path) {
  constexpr std::size_t kLooked = 4096;
  return std::ranges::all_of(read_head(path, kLooked), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte >= 0x20 || (byte >= '\t' && byte <= '\r');
  });
}

}  // namespace

Result<void> check_text_output(const fs::path& path) {
  std::error_code code;
  const fs::file_status status = fs::status(path, code);
  if (path.empty() || !fs::exists(status)) return {};
  if (fs::is_directory(status)) return fail(Error::Kind::kUsage, "{}: is a folder; give the name of a file", path.string());
  if (fs::is_regular_file(status) && !begins_as_text(path)) {
    return fail(Error::Kind::kUsage, "{}: holds something else than text, which would be lost: choose another name, or remove it",
                path.string());
  }
  return {};
}

Result<void> check_distinct(std::span<const fs::path> outputs) {
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (outputs[i].empty() || outputs[j].empty()) continue;
      std::error_code code;
      if (fs::weakly_canonical(outputs[i], code) == fs::weakly_canonical(outputs[j], code)) {
        return fail(Error::Kind::kUsage, "{}: is to hold two different things: choose two names", outputs[i].string());
      }
    }
  }
  return {};
}

}  // namespace fovea
