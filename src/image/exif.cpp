// SPDX-License-Identifier: Apache-2.0
#include "image/exif.h"

#include <cstdint>

#include "image/tiff_directory.h"

namespace fovea {

int exif_orientation(Bytes tiff) {
  const auto reader = TiffReader::open(tiff);
  if (!reader) return 1;
  constexpr std::uint16_t kOrientation = 274;
  const auto entries = reader->directory(reader->first_directory());
  const auto* const entry = find_tag(entries, kOrientation);
  const std::uint32_t value = entry != nullptr ? reader->number(*entry) : 0;
  return value >= 1 && value <= 8 ? static_cast<int>(value) : 1;
}

}  // namespace fovea
