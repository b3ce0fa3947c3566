// Fovea: finds and opens the CUDA plug-in.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "backend/backend.h"

namespace fovea {

/// Where the plug-in of a program may lie, best first: beside it and in the library folders that belong to it.
[[nodiscard]] std::vector<std::filesystem::path> plugin_folders(const std::filesystem::path& program);

/// Opens the plug-in of `file`, a path. kUnsupported says what was looked for and what was found.
Result<std::unique_ptr<Backend>> open_plugin(const std::filesystem::path& file, int device);

/// The first plug-in in `folders`.
Result<std::unique_ptr<Backend>> open_plugin_in(std::span<const std::filesystem::path> folders, int device);

}  // namespace fovea
