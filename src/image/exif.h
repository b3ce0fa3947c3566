// Fovea: the one Exif field that decoding needs.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/file.h"

namespace fovea {

/// Orientation (tag 274) in the first directory of `tiff`, the TIFF structure that every Exif segment holds: 1 to 8;
/// 1 when it is absent, out of range, or the bytes are not such a structure. An "Exif\0\0" in front is skipped.
[[nodiscard]] int exif_orientation(Bytes tiff);

}  // namespace fovea
