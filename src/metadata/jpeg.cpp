// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <iterator>
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

// Null where resources go on in a further segment, too.
const JpegSegment* only_segment(const std::vector<JpegSegment>& segments, std::uint8_t marker, std::string_view name) {
  const auto named = [&](const JpegSegment& segment) { return is_named(segment, marker, name); };
  return std::ranges::count_if(segments, named) == 1 ? find_segment(segments, marker, name) : nullptr;
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

// A segment's data with these changes, which count from its first byte, and its length; none where they would not fit in.
Splices segment_changes(Bytes file, const JpegSegment& segment, Splices changes) {
  const auto data_at = static_cast<std::size_t>(segment.data.data() - file.data());
  std::size_t size = segment.data.size() + 2;  // the length counts itself
  for (Splice& change : changes) {
    change.offset += data_at;
    size += change.inserted.size() - change.removed;
  }
  if (size > 65535) return {};
  changes.insert(changes.begin(), {data_at - 2, 2, {static_cast<std::byte>(size >> 8U), static_cast<std::byte>(size & 0xFFU)}});
  return changes;
}

Splices exif_changes(Bytes file, const JpegSegment& exif, const WordChange& change) {
  Splices changes = with_xp(exif.data, changed_xp(xp_keywords(exif.data), change));
  return changes.empty() ? changes : segment_changes(file, exif, std::move(changes));
}

Splices iptc_changes(Bytes file, const JpegSegment& photoshop, const WordChange& change) {
  const Bytes resources = photoshop.data.subspan(kPhotoshopName.size());
  const Bytes records = iptc_records(resources);
  Splices changes = difference(resources, with_iptc(resources, records, changed_iptc(records, change)));
  for (Splice& splice : changes) splice.offset += kPhotoshopName.size();
  return changes.empty() ? changes : segment_changes(file, photoshop, std::move(changes));
}

// By how much splices from `from` on make a file grow.
std::ptrdiff_t growth(const Splices& splices, std::size_t from) {
  std::ptrdiff_t grown = 0;
  for (const Splice& splice : splices) {
    if (splice.offset >= from)
      grown += static_cast<std::ptrdiff_t>(splice.inserted.size()) - static_cast<std::ptrdiff_t>(splice.removed);
  }
  return grown;
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

OlderWords wanted_in_jpeg(Bytes file, const std::vector<std::string>& words) {
  OlderWords wanted;
  const auto segments = jpeg_segments(file);
  if (!segments) return wanted;
  if (const auto* const exif = find_segment(*segments, kApp1, kExifName)) {
    wanted.xp.add = wanted_in_xp(xp_keywords(exif->data), words);
    if (!wanted.xp.empty() && exif_changes(file, *exif, wanted.xp).empty()) wanted.xp = {};
  }
  if (const auto* const resources = only_segment(*segments, kApp13, kPhotoshopName)) {
    wanted.iptc.add = wanted_in_iptc(iptc_records(resources->data.subspan(kPhotoshopName.size())), words);
    if (!wanted.iptc.empty() && iptc_changes(file, *resources, wanted.iptc).empty()) wanted.iptc = {};
  }
  return wanted;
}

Result<Splices> embed_in_jpeg(Bytes file, std::string_view packet, const OlderWords& older) {
  FOVEA_ASSIGN(const auto segments, jpeg_segments(file));
  FOVEA_ASSIGN(auto inserted, xmp_segment(packet));
  FOVEA_ASSIGN(const std::size_t picture_end, jpeg_picture_end(file, segments.empty() ? 2 : segments.back().end));
  const JpegSegment* const old = find_segment(segments, kApp1, kXmpName);
  const JpegSegment* const mpf = find_segment(segments, kApp2, kMpfName);
  const Bytes trailer = file.subspan(picture_end);
  const bool listed = mpf != nullptr || (old != nullptr && as_text(old->data).find("Container") != std::string_view::npos);
  FOVEA_TRY(check_trailer(trailer, listed));
  Splices splices;
  const auto* const exif = find_segment(segments, kApp1, kExifName);
  if (exif != nullptr && !older.xp.empty()) splices = exif_changes(file, *exif, older.xp);
  const auto* const resources = only_segment(segments, kApp13, kPhotoshopName);
  if (resources != nullptr && !older.iptc.empty())
    std::ranges::move(iptc_changes(file, *resources, older.iptc), std::back_inserter(splices));
  // Behind what an Exif segment gets at its end, which may be the same place.
  splices.push_back(
      {old != nullptr ? old->begin : place_for_xmp(segments), old != nullptr ? old->end - old->begin : 0, std::move(inserted)});
  if (mpf != nullptr) {
    const auto base = static_cast<std::size_t>(mpf->data.data() - file.data()) + kMpfName.size();
    FOVEA_ASSIGN(auto moved,
                 move_mpf(file, base, mpf->data.subspan(kMpfName.size()), growth(splices, 0), growth(splices, mpf->end)));
    std::ranges::move(moved, std::back_inserter(splices));
  }
  std::ranges::stable_sort(splices, {}, &Splice::offset);
  return splices;
}

}  // namespace fovea::metadata
