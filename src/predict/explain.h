// Fovea: the picture of an explanation, as a file that never replaces the photo.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

#include "fovea/result.h"
#include "image/image.h"

namespace fovea {

/// kUsage unless `picture` ends in .png, .jpg or .jpeg and is another file than `photo`.
Result<void> check_picture(const std::filesystem::path& photo, const std::filesystem::path& picture);

/// PNG or JPEG by the extension, all at once or not at all. A picture wider or taller than JPEG allows (65535) is kLimit.
Result<void> write_picture(const Image& image, const std::filesystem::path& path);

}  // namespace fovea
