// Fovea: files that a person names for a result: a slip of the hand must not cost another file.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <span>

#include "fovea/result.h"

namespace fovea {

/// May text be written under this name? kUsage where it is a folder, or a file that holds something else than text (a photo, a
/// video, a model), which would be lost. An empty path is no output.
[[nodiscard]] Result<void> check_text_output(const std::filesystem::path& path);

/// kUsage where two of these are the same file, by whatever name. Empty ones are no outputs.
[[nodiscard]] Result<void> check_distinct(std::span<const std::filesystem::path> outputs);

}  // namespace fovea
