// Fovea: pictures that Fovea has made say so, and only those may be replaced by another: every other one is somebody's photo.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>

#include "fovea/result.h"

namespace fovea {

/// Writes what encode_jpeg or encode_png made, with a comment (JPEG's COM, PNG's tEXt "Software") that says so; decoded pixels
/// stay the same.
Result<void> write_signed_picture(const std::filesystem::path& path, std::span<const std::byte> picture);

/// May a picture be written under this name? kUsage where something lies there that is not a signed picture.
[[nodiscard]] Result<void> check_picture_output(const std::filesystem::path& path);

}  // namespace fovea
