// SPDX-License-Identifier: Apache-2.0
#include "image/exif.h"

#include <cstdint>

#include "image/byte_order.h"

namespace fovea {

using namespace std::string_view_literals;

int exif_orientation(Bytes tiff) {
  if (has_at(tiff, 0, "Exif\0"sv) && tiff.size() >= 6) tiff = tiff.subspan(6);
  const bool big = has_at(tiff, 0, "MM\0*"sv);
  if (!big && !has_at(tiff, 0, "II*\0"sv)) return 1;
  const ByteOrder order = big ? ByteOrder::kBig : ByteOrder::kLittle;
  const std::size_t directory = read_uint(tiff, 4, 4, order);
  const std::size_t entries = read_uint(tiff, directory, 2, order);
  for (std::size_t i = 0; i < entries; ++i) {
    const std::size_t entry = directory + 2 + i * 12;  // tag, type, count, value
    if (entry + 12 > tiff.size()) return 1;
    if (read_uint(tiff, entry, 2, order) != 274) continue;
    constexpr std::uint32_t kLong = 4;  // the standard says SHORT, some writers use LONG
    const std::size_t size = read_uint(tiff, entry + 2, 2, order) == kLong ? 4 : 2;
    const std::uint32_t value = read_uint(tiff, entry + 8, size, order);
    return value >= 1 && value <= 8 ? static_cast<int>(value) : 1;
  }
  return 1;
}

}  // namespace fovea
