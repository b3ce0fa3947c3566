// Fovea: pixels to JPEG or PNG bytes.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <vector>

#include "image/image.h"

namespace fovea {

/// Baseline JPEG; `quality` 1 to 100. Colour is kept at full resolution from 90 on, at half of it each way below.
/// The picture has 1 to 65535 pixels a side.
[[nodiscard]] std::vector<std::byte> encode_jpeg(const Image& image, int quality);

/// 8-bit RGB PNG. `level` 1 (fast) to 9 (small).
[[nodiscard]] std::vector<std::byte> encode_png(const Image& image, int level = 6);

}  // namespace fovea
