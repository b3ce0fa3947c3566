// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <string>
#include <string_view>

#include "core/error.h"
#include "image/byte_order.h"
#include "metadata/container.h"
#include "metadata/jpeg_segments.h"
#include "metadata/mpf.h"

namespace fovea::metadata {
namespace {

using namespace std::string_view_literals;

constexpr std::uint8_t kApp0 = 0xE0;
constexpr std::uint8_t kApp1 = 0xE1;
constexpr std::uint8_t kApp2 = 0xE2;
constexpr std::uint8_t kApp13 = 0xED;
constexpr std::string_view kXmpName = "http://ns.adobe.com/xap/1.0/\0"sv;
constexpr std::string_view kExifName = "Exif\0"sv;  // and a second NUL, or rarely another byte
constexpr std::string_view kPhotoshopName = "Photoshop 3.0\0"sv;
constexpr std::string_view kMpfName = "MPF\0"sv;

bool is_named(const JpegSegment& segment, std::uint8_t marker, std::string_view name) {
  return segment.marker == marker && has_at(segment.data, 0, name);
}

const JpegSegment* find_segment(const std::vector<JpegSegment>& segments, std::uint8_t marker, std::string_view name) {
  for (const JpegSegment& segment : segments) {
    if (is_named(segment, marker, name)) return &segment;
  }
  return nullptr;
}

// Behind SOI and the segments that must come first: JFIF's and Exif's.
std::size_t place_for_xmp(const std::vector<JpegSegment>& segments) {
  std::size_t place = 2;
  for (const JpegSegment& segment : segments) {
    if (segment.marker != kApp0 && !is_named(segment, kApp1, kExifName)) break;
    place = segment.end;
  }
  return place;
}

Result<std::vector<std::byte>> xmp_segment(std::string_view packet) {
  constexpr std::size_t kMost = 65535 - 2;  // the length counts itself
  const std::size_t size = kXmpName.size() + packet.size();
  if (size > kMost) {
    return fail(Error::Kind::kLimit, "{} bytes of XMP, more than the {} that one JPEG segment holds", packet.size(),
                kMost - kXmpName.size());
  }
  std::string text = "\xFF\xE1";
  text += static_cast<char>((size + 2) >> 8U & 0xFFU);
  text += static_cast<char>((size + 2) & 0xFFU);
  text += kXmpName;
  text += packet;
  return copy_of(as_bytes(text));
}

// Bytes behind the picture that no directory at its front accounts for may be pictures that maker notes point to, by
// offsets that nobody can see. Videos of motion photos and records with their own marks are found from the file's end.
Result<void> check_trailer(Bytes trailer, bool listed) {
  if (listed || !has_at(trailer, 0, "\xFF\xD8\xFF"sv)) return {};
  return fail(Error::Kind::kUnsupported, "a second picture follows that nothing at the front of this JPEG lists");
}

}  // namespace

Blocks find_jpeg_blocks(Bytes file) {
  Blocks blocks;
  const auto segments = jpeg_segments(file);
  if (!segments) return blocks;
  for (const JpegSegment& segment : *segments) {
    if (blocks.exif.empty() && is_named(segment, kApp1, kExifName)) blocks.exif = segment.data;
    if (blocks.xmp.empty() && is_named(segment, kApp1, kXmpName)) blocks.xmp = segment.data.subspan(kXmpName.size());
    if (blocks.iptc.empty() && is_named(segment, kApp13, kPhotoshopName)) {
      blocks.iptc = iptc_records(segment.data.subspan(kPhotoshopName.size()));
    }
  }
  return blocks;
}

Result<Splices> embed_in_jpeg(Bytes file, std::string_view packet) {
  FOVEA_ASSIGN(const auto segments, jpeg_segments(file));
  FOVEA_ASSIGN(auto inserted, xmp_segment(packet));
  FOVEA_ASSIGN(const std::size_t picture_end, jpeg_picture_end(file, segments.empty() ? 2 : segments.back().end));
  const JpegSegment* const old = find_segment(segments, kApp1, kXmpName);
  const JpegSegment* const mpf = find_segment(segments, kApp2, kMpfName);
  const Bytes trailer = file.subspan(picture_end);
  const bool listed = mpf != nullptr || (old != nullptr && as_text(old->data).find("Container") != std::string_view::npos);
  FOVEA_TRY(check_trailer(trailer, listed));
  const std::size_t at = old != nullptr ? old->begin : place_for_xmp(segments);
  const std::size_t removed = old != nullptr ? old->end - old->begin : 0;
  Splices splices;
  if (mpf != nullptr) {
    const auto grown = static_cast<std::ptrdiff_t>(inserted.size()) - static_cast<std::ptrdiff_t>(removed);
    const auto base = static_cast<std::size_t>(mpf->data.data() - file.data()) + kMpfName.size();
    FOVEA_ASSIGN(splices, move_mpf(file, base, mpf->data.subspan(kMpfName.size()), grown, at > mpf->begin));
  }
  Splice change{at, removed, std::move(inserted)};
  const auto place = std::ranges::upper_bound(splices, change.offset, {}, &Splice::offset);
  splices.insert(place, std::move(change));
  return splices;
}

}  // namespace fovea::metadata
