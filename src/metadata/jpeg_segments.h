// Fovea: the segments in front of a JPEG's picture data (ITU-T T.81, annex B).
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/file.h"
#include "fovea/result.h"

namespace fovea::metadata {

struct JpegSegment {
  std::uint8_t marker = 0;  ///< 0xE1: APP1
  std::size_t begin = 0;    ///< of the marker
  std::size_t end = 0;
  Bytes data;  ///< behind the length
};

/// All segments up to, and without, the first scan. kFormat if they do not lead there.
Result<std::vector<JpegSegment>> jpeg_segments(Bytes file);

/// Where the picture ends: behind the EOI marker of its last scan. `scan`: where its first one begins. kFormat if there is none.
Result<std::size_t> jpeg_picture_end(Bytes file, std::size_t scan);

}  // namespace fovea::metadata
