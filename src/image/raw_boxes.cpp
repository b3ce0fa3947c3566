// SPDX-License-Identifier: Apache-2.0
//
// Raw photos in boxes of their makers' own: Fujifilm's RAF, Canon's CR3 (boxes as in MP4) and CRW ("The CIFF (Camera Image File
// Format) Specification", 1.0), Sigma's X3F.
#include <algorithm>
#include <string_view>

#include "image/byte_order.h"
#include "image/raw_formats.h"

namespace fovea {
namespace {

using namespace std::string_view_literals;

bool is_raf(Bytes file) { return has_at(file, 0, "FUJIFILMCCD-RAW "sv); }

RawContent read_raf(Bytes file) {
  return {{part(file, read_uint(file, 84, 4, ByteOrder::kBig), read_uint(file, 88, 4, ByteOrder::kBig))}, {}, {}};
}

constexpr std::string_view kCr3Preview = "\xEA\xF4\x2B\x5E\x1C\x98\x4B\x88\xB9\xFB\xB7\xDC\x40\x6E\x4D\x16"sv;
constexpr std::string_view kCr3Description = "\x85\xC0\xB6\x87\x82\x0F\x11\xE0\x81\x11\xF4\xCE\x46\x2B\x6A\x48"sv;
constexpr std::size_t kBoxTitle = 8;

// What follows the title of the first box of this kind, and of this maker's kind where it is a "uuid".
Bytes box(Bytes boxes, std::string_view kind, std::string_view maker = {}) {
  std::size_t at = 0;
  while (at + kBoxTitle <= boxes.size()) {
    const std::size_t size = read_uint(boxes, at, 4, ByteOrder::kBig);
    if (size < kBoxTitle || size > boxes.size() - at) return {};
    if (has_at(boxes, at + 4, kind) && has_at(boxes, at + kBoxTitle, maker)) {
      const Bytes inside = boxes.subspan(at + kBoxTitle, size - kBoxTitle);
      return inside.size() >= maker.size() ? inside.subspan(maker.size()) : Bytes();
    }
    at += size;
  }
  return {};
}

bool is_cr3(Bytes file) { return has_at(file, 4, "ftypcrx "sv); }

// Its middle-sized preview stands behind some numbers in a box of its own.
RawContent read_cr3(Bytes file) {
  RawContent content;
  content.description = box(box(box(file, "moov"sv), "uuid"sv, kCr3Description), "CMT1"sv);
  const Bytes preview = box(file, "uuid"sv, kCr3Preview);
  constexpr std::size_t kMostInFront = 128;
  for (std::size_t start = 0; start < preview.size() && start < kMostInFront; ++start) {
    if (!has_at(preview, start, "\xFF\xD8\xFF"sv)) continue;
    content.jpegs.push_back(preview.subspan(start));
    break;
  }
  return content;
}

bool is_crw(Bytes file) { return has_at(file, 0, "II"sv) && has_at(file, 6, "HEAPCCDR"sv); }

int orientation_of_turn(std::uint32_t degrees) { return degrees == 90 ? 6 : degrees == 180 ? 3 : degrees == 270 ? 8 : 1; }

// A heap ends with the place of its directory, of ten bytes an entry: kind, size and place within the heap. Gives the heaps in
// it.
std::vector<Bytes> read_heap(Bytes heap, RawContent& content) {
  constexpr std::size_t kEntry = 10;
  constexpr std::size_t kMostEntries = 256;
  std::vector<Bytes> below;
  if (heap.size() < 4) return below;
  const std::size_t directory = read_uint(heap, heap.size() - 4, 4, ByteOrder::kLittle);
  const std::size_t count = read_uint(heap, directory, 2, ByteOrder::kLittle);
  for (std::size_t i = 0; i < count && i < kMostEntries; ++i) {
    const std::size_t at = directory + 2 + i * kEntry;
    if (part(heap, at, kEntry).empty()) break;
    const std::uint32_t kind = read_uint(heap, at, 2, ByteOrder::kLittle);
    if ((kind & 0xC000U) != 0) continue;  // the value stands in the entry itself
    const Bytes value =
        part(heap, read_uint(heap, at + 6, 4, ByteOrder::kLittle), read_uint(heap, at + 2, 4, ByteOrder::kLittle));
    const std::uint32_t type = kind & 0x3800U;
    if (type == 0x2800 || type == 0x3000) below.push_back(value);
    if (kind == 0x2007 || kind == 0x2008) content.jpegs.push_back(value);
    if (kind == 0x1810 && value.size() >= 16) {
      content.orientation = orientation_of_turn(read_uint(value, 12, 4, ByteOrder::kLittle));
    }
  }
  return below;
}

RawContent read_crw(Bytes file) {
  constexpr int kMostHeaps = 32;
  RawContent content;
  const std::size_t title = read_uint(file, 2, 4, ByteOrder::kLittle);
  std::vector<Bytes> heaps{file.subspan(std::min(title, file.size()))};
  for (int i = 0; i < kMostHeaps && !heaps.empty(); ++i) {
    const Bytes heap = heaps.back();
    heaps.pop_back();
    const std::vector<Bytes> below = read_heap(heap, content);
    heaps.insert(heaps.end(), below.begin(), below.end());
  }
  return content;
}

bool is_x3f(Bytes file) { return has_at(file, 0, "FOVb"sv); }

RawContent read_x3f(Bytes file) {
  constexpr std::size_t kTitle = 12;
  constexpr std::size_t kEntry = 12;
  constexpr std::size_t kMostSections = 64;
  constexpr std::size_t kPictureTitle = 28;
  RawContent content;
  if (file.size() < 4) return content;
  const std::size_t directory = read_uint(file, file.size() - 4, 4, ByteOrder::kLittle);
  if (!has_at(file, directory, "SECd"sv)) return content;
  const std::size_t count = read_uint(file, directory + 8, 4, ByteOrder::kLittle);
  for (std::size_t i = 0; i < count && i < kMostSections; ++i) {
    const std::size_t at = directory + kTitle + i * kEntry;
    const Bytes section = part(file, read_uint(file, at, 4, ByteOrder::kLittle), read_uint(file, at + 4, 4, ByteOrder::kLittle));
    if (has_at(section, 0, "SECi"sv) && section.size() > kPictureTitle) content.jpegs.push_back(section.subspan(kPictureTitle));
  }
  return content;
}

}  // namespace

const RawFormat kRaf{is_raf, read_raf};
const RawFormat kCr3{is_cr3, read_cr3};
const RawFormat kCrw{is_crw, read_crw};
const RawFormat kX3f{is_x3f, read_x3f};

}  // namespace fovea
