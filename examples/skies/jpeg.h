// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

#include "fovea/result.h"
#include "image/image.h"

namespace skies {

/// Writes a baseline JPEG, atomically.
fovea::Result<void> write_jpeg(const std::filesystem::path& path, const fovea::Image& image, int quality);

}  // namespace skies
