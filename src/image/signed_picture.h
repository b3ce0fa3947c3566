// Fovea: pictures that Fovea has made say so, and only those may be replaced by another: every other one is somebody's photo.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <filesystem>
#include <vector>

#include "fovea/result.h"

namespace fovea {

/// A comment in a JPEG (COM) or PNG (tEXt "Software") that encode_jpeg or encode_png wrote; decoded pixels stay the same.
[[nodiscard]] std::vector<std::byte> signed_picture(std::vector<std::byte> picture);

/// May a picture be written under this name? kUsage where something lies there that is not a signed picture.
[[nodiscard]] Result<void> check_picture_output(const std::filesystem::path& path);

}  // namespace fovea
