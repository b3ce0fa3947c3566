// Fovea: the frame of pages that show many photos as thumbnails.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "core/file.h"
#include "fovea/result.h"

namespace fovea::report {

/// kUsage unless it ends in .html or .htm and, where it is there, holds text: no photo is overwritten by mistake. kIo if it
/// cannot be written.
Result<void> check_page_name(const std::filesystem::path& path);

/// A whole self-contained page around `body` (html).
[[nodiscard]] std::string sheet_page(std::string_view title, std::string_view body);

/// A picture with a caption (html); `path` shows when it is pointed at.
[[nodiscard]] std::string thumbnail(Bytes jpeg, std::string_view path, std::string_view name, std::string_view caption);

}  // namespace fovea::report
