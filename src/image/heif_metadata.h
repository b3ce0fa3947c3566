// Fovea: the metadata inside a HEIC or AVIF file.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <vector>

#include "core/file.h"
#include "fovea/result.h"

namespace fovea {

/// Each empty where the file has none.
struct HeifMetadata {
  std::vector<std::byte> exif;  ///< a TIFF structure
  std::vector<std::byte> xmp;
};

Result<HeifMetadata> read_heif_metadata(Bytes file);

}  // namespace fovea
