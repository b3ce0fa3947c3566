// SPDX-License-Identifier: Apache-2.0
#include "metadata/mpf.h"

#include <cstdint>
#include <limits>

#include "core/error.h"
#include "image/tiff_directory.h"

namespace fovea::metadata {
namespace {

constexpr std::uint16_t kPictureList = 0xB002;
constexpr std::size_t kEntrySize = 16;  // attributes, size, offset (each 4 bytes), two numbers of dependent pictures
constexpr std::size_t kSizeAt = 4;
constexpr std::size_t kOffsetAt = 8;

std::vector<std::byte> four_bytes(std::uint32_t value, ByteOrder order) {
  std::vector<std::byte> bytes(4);
  for (std::size_t i = 0; i < 4; ++i) {
    bytes[order == ByteOrder::kBig ? 3 - i : i] = static_cast<std::byte>(value >> (8 * i) & 0xFFU);
  }
  return bytes;
}

}  // namespace

Result<Splices> move_mpf(Bytes file, std::size_t base, Bytes mpf, std::ptrdiff_t grown, std::ptrdiff_t behind) {
  const auto reader = TiffReader::open(mpf);
  if (!reader) return fail(Error::Kind::kFormat, "the list of further pictures (MPF) is damaged");
  const auto entries = reader->directory(reader->first_directory());
  const auto* const list = find_tag(entries, kPictureList);
  Splices splices;
  if (list == nullptr) return splices;
  const auto change = [&](std::size_t at, std::uint32_t value, std::ptrdiff_t by) -> Result<void> {
    if (by == 0) return {};
    const std::int64_t moved = std::int64_t{value} + by;
    if (moved < 0 || moved > std::numeric_limits<std::uint32_t>::max()) {
      return fail(Error::Kind::kLimit, "a further picture (MPF) would lie more than 4 GB behind the first");
    }
    splices.push_back({base + at, 4, four_bytes(static_cast<std::uint32_t>(moved), reader->order())});
    return {};
  };
  for (std::size_t i = 0; (i + 1) * kEntrySize <= list->size; ++i) {
    const std::size_t at = list->value_at + i * kEntrySize;
    const std::uint32_t size = read_uint(mpf, at + kSizeAt, 4, reader->order());
    const std::uint32_t offset = read_uint(mpf, at + kOffsetAt, 4, reader->order());
    if (offset == 0) {  // the first picture, which begins where the file does
      if (size != 0) FOVEA_TRY(change(at + kSizeAt, size, grown));
      continue;
    }
    if (base > file.size() || offset > file.size() - base || size > file.size() - base - offset) {
      return fail(Error::Kind::kFormat, "a further picture (MPF) lies outside of the file");
    }
    FOVEA_TRY(change(at + kOffsetAt, offset, behind));
  }
  return splices;
}

}  // namespace fovea::metadata
