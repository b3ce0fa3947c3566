// Fovea: raw photos as cameras write them, of a few bytes: what each format has around its previews.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

#include "core/file.h"
#include "support/paths.h"

namespace fovea::raw_files {

using namespace std::string_literals;

inline std::string picture(std::string_view name) {
  std::ifstream file(test::test_data("image/data/pictures") / name, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

inline Bytes bytes_of(const std::string& text) { return std::as_bytes(std::span(text)); }

inline std::string u16(std::size_t v) { return {static_cast<char>(v), static_cast<char>(v >> 8U)}; }
inline std::string u32(std::size_t v) { return u16(v & 0xFFFFU) + u16(v >> 16U); }
inline std::string u32_big(std::size_t v) {
  return {static_cast<char>(v >> 24U), static_cast<char>(v >> 16U), static_cast<char>(v >> 8U), static_cast<char>(v)};
}
inline std::string entry(std::size_t tag, std::size_t type, std::size_t value, std::size_t count = 1) {
  return u16(tag) + u16(type) + u32(count) + u32(value);
}

/// A DNG as cameras write them: a small preview by offset and size in front, raw data, and a larger preview in a directory below.
inline std::string dng(std::size_t orientation, const std::string& small, const std::string& large) {
  const std::size_t below = 8 + 2 + 6 * 12 + 4;
  const std::size_t small_at = below + 2 + 4 * 12 + 4;
  const std::size_t large_at = small_at + small.size();
  std::string text = "II*\0"s + u32(8) + u16(6);
  text += entry(262, 3, 32803) + entry(274, 3, orientation) + entry(330, 4, below) + entry(513, 4, small_at) +
          entry(514, 4, small.size()) + entry(50706, 4, 1) + u32(0);
  text += u16(4) + entry(259, 3, 7) + entry(262, 3, 6) + entry(273, 4, large_at) + entry(279, 4, large.size()) + u32(0);
  return text + small + large;
}

/// Fujifilm's: a JPEG by its place in the header.
inline std::string raf(const std::string& jpeg) {
  return "FUJIFILMCCD-RAW 0201"s + std::string(64, '\0') + u32_big(120) + u32_big(jpeg.size()) + std::string(28, '\0') + jpeg;
}

/// A TIFF structure of a camera's name, the orientation and a date.
inline std::string description(std::size_t orientation) {
  return "II*\0"s + u32(8) + u16(3) + entry(271, 2, 50, 6) + entry(274, 3, orientation) + entry(306, 2, 56, 20) + u32(0) +
         "Canon\0"s + "2026:10:04 12:30:00\0"s;
}

/// Canon's since 2018.
inline std::string cr3(std::size_t orientation, const std::string& jpeg) {
  const auto box = [](const std::string& inside) { return u32_big(4 + inside.size()) + inside; };
  const std::string about = box("CMT1" + description(orientation));
  const std::string maker = "uuid\x85\xC0\xB6\x87\x82\x0F\x11\xE0\x81\x11\xF4\xCE\x46\x2B\x6A\x48"s;
  const std::string preview = "uuid\xEA\xF4\x2B\x5E\x1C\x98\x4B\x88\xB9\xFB\xB7\xDC\x40\x6E\x4D\x16"s + std::string(24, '\0');
  return box("ftypcrx \0\0\0\1"s) + box("moov" + box("free"s) + box(maker + about)) + box(preview + jpeg);
}

/// Canon's until 2005: a heap in a heap.
inline std::string crw(std::size_t degrees, const std::string& jpeg) {
  const std::string properties = u32(0) + u32(0) + u32(0) + u32(degrees);
  const std::string below = properties + u16(1) + u16(0x1810) + u32(properties.size()) + u32(0) + u32(properties.size());
  const std::string heap = below + jpeg + u16(3) + u16(0x300A) + u32(below.size()) + u32(0) + u16(0x580E) + std::string(8, '\1') +
                           u16(0x2007) + u32(jpeg.size()) + u32(below.size());
  return "II" + u32(26) + "HEAPCCDR" + std::string(12, '\0') + heap + u32(below.size() + jpeg.size());
}

/// Sigma's.
inline std::string x3f(const std::string& jpeg) {
  const std::string section = "SECi" + u32(0x20000) + u32(2) + u32(18) + std::string(12, '\0') + jpeg;
  const std::string title = "FOVb" + u32(0x20000) + std::string(32, '\0');
  return title + section + "SECd" + u32(0x20000) + u32(1) + u32(title.size()) + u32(section.size()) + "IMA2" +
         u32(title.size() + section.size());
}

/// A TIFF structure with a maker's note, and behind it a JPEG that only the note names.
inline std::string with_note(std::string_view mark, const std::string& note, const std::string& jpeg) {
  const std::size_t exif = 8 + 2 + 2 * 12 + 4;
  const std::size_t at = exif + 2 + 12 + 4;
  return std::string(mark) + u32(8) + u16(2) + entry(274, 3, 6) + entry(34665, 4, exif) + u32(0) + u16(1) +
         entry(37500, 7, at, note.size()) + u32(0) + note + jpeg;
}
inline constexpr std::size_t kNoteAt = 8 + 2 + 2 * 12 + 4 + 2 + 12 + 4;

/// Olympus since 2007: offsets count from the note, in a directory below it.
inline std::string orf(const std::string& title, const std::string& jpeg) {
  const std::size_t below = title.size() + 2 + 12 + 4;
  const std::size_t size = below + 2 + 2 * 12 + 4;
  const std::string note =
      title + u16(1) + entry(0x2020, 13, below) + u32(0) + u16(2) + entry(0x101, 4, size) + entry(0x102, 4, jpeg.size()) + u32(0);
  return with_note("IIRO", note, jpeg);
}

/// Pentax's: offsets count from the file's beginning; the note does not keep to the order of bytes that it says.
inline std::string pef(const std::string& jpeg) {
  const std::size_t size = 6 + 2 + 2 * 12 + 4;
  const std::string note = "AOC\0MM"s + u16(2) + entry(3, 4, jpeg.size()) + entry(4, 4, kNoteAt + size) + u32(0);
  return with_note("IIRS", note, jpeg);
}

/// Minolta's: the structure in a block; offsets count from its beginning.
inline std::string mrw(const std::string& jpeg) {
  const std::size_t size = 2 + 2 * 12 + 4;
  const std::string note = u16(2) + entry(0x88, 4, kNoteAt + size) + entry(0x89, 4, jpeg.size()) + u32(0);
  const std::string structure = with_note("II*\0"s, note, jpeg);
  return "\0MRM"s + u32_big(8 + 4 + 8 + structure.size()) + "\0PRD"s + u32_big(4) + "1234" + "\0TTW"s +
         u32_big(structure.size()) + structure;
}

}  // namespace fovea::raw_files
