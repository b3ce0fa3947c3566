// SPDX-License-Identifier: Apache-2.0
//
// Raw photos made like TIFF (DNG, NEF, CR2, ARW, PEF, SRW, RW2, ORF, ...), and Minolta's, which hold such a structure.
#include <algorithm>
#include <iterator>
#include <set>
#include <string_view>

#include "image/byte_order.h"
#include "image/raw_formats.h"
#include "image/tiff_directory.h"

namespace fovea {
namespace {

using namespace std::string_view_literals;

constexpr std::uint16_t kCompression = 259;
constexpr std::uint16_t kPhotometric = 262;
constexpr std::uint16_t kStripOffsets = 273;
constexpr std::uint16_t kStripSizes = 279;
constexpr std::uint16_t kSubDirectories = 330;
constexpr std::uint16_t kJpegAt = 513;
constexpr std::uint16_t kJpegSize = 514;
constexpr std::uint16_t kJpegFromRaw = 46;  // Panasonic
constexpr std::uint16_t kDngVersion = 50706;

using Entries = std::vector<TiffReader::Entry>;

// Every directory that can be reached, each once; more than any camera writes are not looked at.
std::vector<Entries> all_directories(const TiffReader& reader) {
  constexpr std::size_t kMost = 64;
  std::vector<Entries> found;
  std::set<std::size_t> seen;
  std::vector<std::size_t> waiting{reader.first_directory()};
  while (!waiting.empty() && seen.size() < kMost) {
    const std::size_t at = waiting.back();
    waiting.pop_back();
    if (at == 0 || !seen.insert(at).second) continue;
    Entries entries = reader.directory(at);
    if (const auto* const sub = find_tag(entries, kSubDirectories)) {
      for (std::uint32_t i = 0; i < sub->count && i < kMost; ++i) waiting.push_back(reader.number(*sub, i));
    }
    waiting.push_back(reader.next_directory(at));
    found.push_back(std::move(entries));
  }
  return found;
}

// A TIFF file is a raw photo when one of its pictures is of single colours behind a filter, or says that it is a DNG.
bool is_raw_tiff(Bytes file) {
  for (const std::string_view mark : {"IIRO"sv, "IIRS"sv, "MMOR"sv, "IIU\0"sv}) {
    if (has_at(file, 0, mark)) return true;
  }
  const auto reader = TiffReader::open(file);
  if (!reader || has_at(file, 0, "Exif\0"sv)) return false;
  if (has_at(file, 8, "CR\2"sv)) return true;
  constexpr std::uint32_t kColourFilter = 32803;
  constexpr std::uint32_t kLinearRaw = 34892;
  for (const Entries& entries : all_directories(*reader)) {
    const std::uint32_t kind = number_of(*reader, entries, kPhotometric);
    if (kind == kColourFilter || kind == kLinearRaw || find_tag(entries, kDngVersion) != nullptr) return true;
  }
  return false;
}

RawContent read_tiff_raw(Bytes file) { return {tiff_previews(file), file, {}}; }

constexpr std::string_view kMrwMark = "\0MRM"sv;

bool is_mrw(Bytes file) { return has_at(file, 0, kMrwMark); }

RawContent read_mrw(Bytes file) {
  constexpr std::size_t kTitle = 8;
  constexpr std::size_t kMostBlocks = 16;
  std::size_t at = kTitle;
  for (std::size_t i = 0; i < kMostBlocks; ++i) {
    const Bytes block = part(file, at + kTitle, read_uint(file, at + 4, 4, ByteOrder::kBig));
    if (has_at(file, at, "\0TTW"sv)) return {tiff_previews(block), block, {}};
    at += kTitle + block.size();
  }
  return {};
}

}  // namespace

std::uint32_t number_of(const TiffReader& reader, const Entries& entries, std::uint16_t tag) {
  const auto* const entry = find_tag(entries, tag);
  return entry != nullptr ? reader.number(*entry) : 0;
}

Bytes part_by(const TiffReader& reader, const Entries& entries, std::uint16_t at, std::uint16_t size) {
  return part(reader.bytes(), number_of(reader, entries, at), number_of(reader, entries, size));
}

std::vector<Bytes> tiff_previews(Bytes tiff) {
  std::vector<Bytes> previews;
  const auto reader = TiffReader::open(tiff);
  if (!reader) return previews;
  for (const Entries& entries : all_directories(*reader)) {
    previews.push_back(part_by(*reader, entries, kJpegAt, kJpegSize));
    if (const auto* const whole = find_tag(entries, kJpegFromRaw)) previews.push_back(reader->data(*whole));
    const std::uint32_t compression = number_of(*reader, entries, kCompression);
    const auto* const strips = find_tag(entries, kStripOffsets);
    if ((compression == 6 || compression == 7) && strips != nullptr && strips->count == 1) {
      previews.push_back(part_by(*reader, entries, kStripOffsets, kStripSizes));
    }
  }
  std::ranges::copy(note_previews(*reader), std::back_inserter(previews));
  return previews;
}

const RawFormat kTiffRaw{is_raw_tiff, read_tiff_raw};
const RawFormat kMrw{is_mrw, read_mrw};

}  // namespace fovea
