// Fovea: small pictures and data sets for tests, written as PNG so that every pixel is known.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>

#include "image/image.h"
#include "support/paths.h"

namespace fovea::test {

/// Folders are made where missing.
void text_file(const std::filesystem::path& path, std::string_view text);
/// A PNG, whatever the extension.
void photo_file(const std::filesystem::path& path, const Image& image);
/// A 4 x 4 picture.
void photo_file(const std::filesystem::path& path);

/// Smooth colours and some noise, different for every seed and reproducible.
[[nodiscard]] Image random_photo(int width, int height, std::uint64_t seed);
/// One colour.
[[nodiscard]] Image flat_photo(int width, int height, std::uint8_t red, std::uint8_t green, std::uint8_t blue);

}  // namespace fovea::test
