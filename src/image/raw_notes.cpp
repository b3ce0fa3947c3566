// SPDX-License-Identifier: Apache-2.0
//
// Previews that only a maker's note names. Where those notes keep it is known from ExifTool's tables of tags.
#include <algorithm>
#include <array>
#include <string_view>

#include "image/byte_order.h"
#include "image/raw_formats.h"

namespace fovea {
namespace {

using namespace std::string_view_literals;

using Entries = std::vector<TiffReader::Entry>;

// How a note begins, where its directory lies, and from where the offsets in it count: the note, or the structure that it stands
// in.
struct Kind {
  std::string_view title;
  std::size_t directory;
  bool from_note;
};
constexpr std::array<Kind, 7> kKinds{{{"OLYMPUS\0"sv, 12, true},
                                      {"OM SYSTEM\0"sv, 16, true},
                                      {"OLYMP\0"sv, 8, false},
                                      {"EPSON\0"sv, 8, false},
                                      {"AOC\0"sv, 6, false},      // Pentax
                                      {"PENTAX \0"sv, 10, true},  // in its DNG files
                                      {""sv, 0, false}}};         // Minolta

struct Note {
  TiffReader reader;
  std::size_t directory = 0;
  bool pentax = false;
};

// Not every note has the order of bytes that it, or the structure around it, says; a directory of 256 entries or more shows that.
Note note_at(const TiffReader& structure, std::size_t at) {
  const Bytes note = structure.bytes().subspan(at);
  const Kind& kind = *std::ranges::find_if(kKinds, [&](const Kind& k) { return has_at(note, 0, k.title); });
  const Bytes bytes = kind.from_note ? note : structure.bytes();
  const std::size_t directory = kind.directory + (kind.from_note ? 0 : at);
  constexpr std::uint32_t kMostEntries = 255;
  const bool little = read_uint(bytes, directory, 2, ByteOrder::kLittle) <= kMostEntries;
  return {TiffReader::without_header(bytes, little ? ByteOrder::kLittle : ByteOrder::kBig), directory,
          kind.title.starts_with("AOC") || kind.title.starts_with("PENTAX")};
}

}  // namespace

std::vector<Bytes> note_previews(const TiffReader& structure) {
  constexpr std::uint16_t kExifDirectory = 34665;
  constexpr std::uint16_t kMakerNote = 37500;
  const Entries first = structure.directory(structure.first_directory());
  const Entries exif = structure.directory(number_of(structure, first, kExifDirectory));
  const auto* const entry = find_tag(exif, kMakerNote);
  if (entry == nullptr) return {};
  const auto [reader, directory, pentax] = note_at(structure, entry->value_at);
  const Entries entries = reader.directory(directory);
  if (pentax) return {part_by(reader, entries, 4, 3)};
  std::vector<Bytes> previews{part_by(reader, entries, 0x88, 0x89), part_by(reader, entries, 0x1036, 0x1037)};
  if (const auto* const whole = find_tag(entries, 0x81)) previews.push_back(reader.data(*whole));
  if (const auto* const settings = find_tag(entries, 0x2020)) {  // Olympus: a directory, or where it lies
    const bool inside = settings->size > 4;
    const Entries camera = reader.directory(inside ? settings->value_at : reader.number(*settings));
    previews.push_back(part_by(reader, camera, 0x101, 0x102));
  }
  return previews;
}

}  // namespace fovea
