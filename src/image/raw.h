// Fovea: what raw photos hold besides their raw data: the pictures that the camera has put into them, and its description.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <vector>

#include "core/file.h"

namespace fovea {

/// Parts of the file; from untrusted bytes, so what is called a JPEG may be none.
struct RawContent {
  std::vector<Bytes> jpegs;
  Bytes description;  ///< a TIFF structure with Exif's fields of the whole photo; empty where only the JPEGs have one
  std::optional<int> orientation;  ///< Exif, 1 to 8, of all the JPEGs; none where each says its own
};

/// Whether the bytes are those of a raw photo.
[[nodiscard]] bool is_raw(Bytes file);

/// Nothing in it where they are not.
[[nodiscard]] RawContent raw_content(Bytes file);

/// The JPEG that stands for the photo: the largest that the decoder takes. Empty: there is none.
[[nodiscard]] Bytes raw_preview(const RawContent& content);

}  // namespace fovea
