// SPDX-License-Identifier: Apache-2.0
//
// Raw photos, by the JPEG that the camera has put into them: what the photographer saw. Those made like TIFF (DNG, NEF, CR2, ARW,
// PEF, SRW, RW2, ...), Fujifilm's RAF, and Canon's CR3.
#include <array>
#include <optional>
#include <set>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "image/byte_order.h"
#include "image/exif.h"
#include "image/loader.h"
#include "image/tiff_directory.h"

namespace fovea {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view kRaf = "FUJIFILMCCD-RAW "sv;
constexpr std::string_view kCr3Preview = "\xEA\xF4\x2B\x5E\x1C\x98\x4B\x88\xB9\xFB\xB7\xDC\x40\x6E\x4D\x16"sv;

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

std::uint32_t number_of(const TiffReader& reader, const Entries& entries, std::uint16_t tag) {
  const auto* const entry = find_tag(entries, tag);
  return entry != nullptr ? reader.number(*entry) : 0;
}

// A TIFF file is a raw photo when one of its pictures is of single colours behind a filter, or says that it is a DNG.
bool is_raw_tiff(Bytes bytes) {
  for (const std::string_view mark : {"IIRO"sv, "IIRS"sv, "MMOR"sv, "IIU\0"sv}) {
    if (has_at(bytes, 0, mark)) return true;
  }
  const auto reader = TiffReader::open(bytes);
  if (!reader || has_at(bytes, 0, "Exif\0"sv)) return false;
  if (has_at(bytes, 8, "CR\2"sv)) return true;
  constexpr std::uint32_t kColourFilter = 32803;
  constexpr std::uint32_t kLinearRaw = 34892;
  for (const Entries& entries : all_directories(*reader)) {
    const std::uint32_t kind = number_of(*reader, entries, kPhotometric);
    if (kind == kColourFilter || kind == kLinearRaw || find_tag(entries, kDngVersion) != nullptr) return true;
  }
  return false;
}

Bytes part(Bytes bytes, std::size_t at, std::size_t size) {
  return at <= bytes.size() && size <= bytes.size() - at ? bytes.subspan(at, size) : Bytes();
}

// Whatever may be a JPEG in a file made like TIFF.
std::vector<Bytes> tiff_previews(Bytes bytes) {
  std::vector<Bytes> previews;
  const auto reader = TiffReader::open(bytes);
  if (!reader) return previews;
  for (const Entries& entries : all_directories(*reader)) {
    previews.push_back(part(bytes, number_of(*reader, entries, kJpegAt), number_of(*reader, entries, kJpegSize)));
    if (const auto* const whole = find_tag(entries, kJpegFromRaw)) previews.push_back(reader->data(*whole));
    const std::uint32_t compression = number_of(*reader, entries, kCompression);
    const auto* const strips = find_tag(entries, kStripOffsets);
    if ((compression == 6 || compression == 7) && strips != nullptr && strips->count == 1) {
      previews.push_back(part(bytes, reader->number(*strips), number_of(*reader, entries, kStripSizes)));
    }
  }
  return previews;
}

// The one box of a CR3 file that holds its middle-sized preview: some numbers, then a JPEG.
Bytes cr3_preview(Bytes bytes) {
  std::size_t at = 0;
  while (at + 24 <= bytes.size()) {
    const std::size_t size = read_uint(bytes, at, 4, ByteOrder::kBig);
    if (size < 8 || size > bytes.size() - at) return {};
    if (has_at(bytes, at + 4, "uuid"sv) && has_at(bytes, at + 8, kCr3Preview)) {
      const Bytes box = bytes.subspan(at, size);
      for (std::size_t start = 24; start < box.size() && start < 128; ++start) {
        if (has_at(box, start, "\xFF\xD8\xFF"sv)) return box.subspan(start);
      }
      return {};
    }
    at += size;
  }
  return {};
}

struct Preview {
  Bytes jpeg;
  Header header;
};

// The largest that the JPEG decoder takes: raw data may be compressed in ways that call themselves JPEG too.
Result<Preview> preview_of(Bytes bytes) {
  std::vector<Bytes> candidates;
  if (has_at(bytes, 0, kRaf)) {
    candidates.push_back(part(bytes, read_uint(bytes, 84, 4, ByteOrder::kBig), read_uint(bytes, 88, 4, ByteOrder::kBig)));
  } else if (has_at(bytes, 4, "ftypcrx "sv)) {
    candidates.push_back(cr3_preview(bytes));
  } else {
    candidates = tiff_previews(bytes);
  }
  Preview best;
  for (const Bytes candidate : candidates) {
    if (candidate.size() <= best.jpeg.size() || !kJpegLoader.sniff(candidate)) continue;
    if (const auto header = kJpegLoader.read_header(candidate)) best = {candidate, *header};
  }
  if (best.jpeg.empty()) return fail(Error::Kind::kUnsupported, "no JPEG preview inside");
  // Cameras turn the preview as little as the raw data; the file says how both are to be turned.
  if (TiffReader::open(bytes)) best.header.orientation = exif_orientation(bytes);
  return best;
}

bool sniff_raw(Bytes bytes) { return has_at(bytes, 0, kRaf) || has_at(bytes, 4, "ftypcrx "sv) || is_raw_tiff(bytes); }

Result<Header> read_raw_header(Bytes bytes) {
  FOVEA_ASSIGN(const Preview preview, preview_of(bytes));
  return preview.header;
}

Result<Raster> decode_raw(Bytes bytes, const Header& header, int shorter_side_wanted) {
  FOVEA_ASSIGN(const Preview preview, preview_of(bytes));
  return kJpegLoader.decode(preview.jpeg, header, shorter_side_wanted);
}

}  // namespace

const Loader kRawLoader{ImageFormat::kRaw, "raw photo", sniff_raw, read_raw_header, decode_raw};

}  // namespace fovea
