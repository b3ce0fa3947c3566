// SPDX-License-Identifier: Apache-2.0
//
// Nothing in a TIFF file moves: what is new is appended, and pointers to it are changed.
#include <string>
#include <string_view>

#include "core/error.h"
#include "image/tiff_directory.h"
#include "metadata/container.h"

namespace fovea::metadata {
namespace {

constexpr std::uint16_t kXmp = 700;
constexpr std::uint16_t kIptc = 33723;
constexpr std::uint16_t kByteType = 1;
constexpr std::size_t kEntrySize = 12;

std::string number(std::size_t value, std::size_t bytes, ByteOrder order) {
  std::string text(bytes, '\0');
  for (std::size_t i = 0; i < bytes; ++i)
    text[order == ByteOrder::kBig ? bytes - 1 - i : i] = static_cast<char>(value >> (8 * i));
  return text;
}

std::string xmp_entry(std::size_t count, std::size_t at, ByteOrder order) {
  return number(kXmp, 2, order) + number(kByteType, 2, order) + number(count, 4, order) + number(at, 4, order);
}

// The first directory again, at the end of the file, with one entry more; in ascending order of tags.
std::string longer_directory(Bytes file, std::size_t at, std::string_view entry, ByteOrder order) {
  const std::size_t count = read_uint(file, at, 2, order);
  std::string text = number(count + 1, 2, order);
  bool placed = false;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t old = at + 2 + i * kEntrySize;
    if (!placed && read_uint(file, old, 2, order) > kXmp) {
      text += entry;
      placed = true;
    }
    text += as_text(file.subspan(old, kEntrySize));
  }
  if (!placed) text += entry;
  return text + std::string(as_text(file.subspan(at + 2 + count * kEntrySize, 4)));
}

}  // namespace

Blocks find_tiff_blocks(Bytes file) {
  Blocks blocks;
  const auto reader = TiffReader::open(file);
  if (!reader) return blocks;
  blocks.exif = file;
  const auto entries = reader->directory(reader->first_directory());
  if (const auto* const xmp = find_tag(entries, kXmp)) blocks.xmp = reader->data(*xmp);
  if (const auto* const iptc = find_tag(entries, kIptc)) blocks.iptc = reader->data(*iptc);
  return blocks;
}

Result<Splices> embed_in_tiff(Bytes file, std::string_view packet) {
  const auto reader = TiffReader::open(file);
  if (!reader) return fail(Error::Kind::kUnsupported, "BigTIFF files get their keywords in a sidecar");
  const ByteOrder order = reader->order();
  const std::size_t at = reader->first_directory();
  const std::size_t count = read_uint(file, at, 2, order);
  if (count == 0 || count >= 0xFFFF || at + 2 + count * kEntrySize + 4 > file.size()) {
    return fail(Error::Kind::kFormat, "TIFF: its first directory is damaged");
  }
  if (packet.size() <= 4) return fail(Error::Kind::kFormat, "TIFF: {} bytes of XMP", packet.size());
  std::string tail(file.size() % 2, '\0');
  const std::size_t xmp_at = file.size() + tail.size();
  tail += packet;
  if (tail.size() % 2 != file.size() % 2) tail += '\0';
  const std::size_t directory_at = file.size() + tail.size();
  const std::string entry = xmp_entry(packet.size(), xmp_at, order);
  Splices splices;
  const auto entries = reader->directory(at);
  const auto* const old = find_tag(entries, kXmp);
  if (old != nullptr) {
    splices.push_back({old->at, kEntrySize, copy_of(as_bytes(entry))});
  } else {
    splices.push_back({4, 4, copy_of(as_bytes(number(directory_at, 4, order)))});
    tail += longer_directory(file, at, entry, order);
  }
  if (file.size() + tail.size() > 0xFFFFFFF0U) return fail(Error::Kind::kLimit, "TIFF: more than 4 GB");
  splices.push_back({file.size(), 0, copy_of(as_bytes(tail))});
  return splices;
}

}  // namespace fovea::metadata
