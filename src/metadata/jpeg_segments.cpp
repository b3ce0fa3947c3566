// SPDX-License-Identifier: Apache-2.0
#include "metadata/jpeg_segments.h"

#include "core/error.h"
#include "image/byte_order.h"

namespace fovea::metadata {
namespace {

constexpr std::uint8_t kStartOfScan = 0xDA;
constexpr std::uint8_t kEndOfImage = 0xD9;

std::uint8_t byte_at(Bytes file, std::size_t at) { return std::to_integer<std::uint8_t>(file[at]); }

// Markers that stand alone: TEM, RST0 to RST7.
bool is_alone(std::uint8_t marker) { return marker == 0x01 || (marker >= 0xD0 && marker <= 0xD7); }

// The segment at `at`, over fill bytes before its marker.
Result<JpegSegment> segment_at(Bytes file, std::size_t at) {
  JpegSegment segment;
  segment.begin = at;
  if (at >= file.size() || byte_at(file, at) != 0xFF) return fail(Error::Kind::kFormat, "JPEG: no marker at byte {}", at);
  while (at < file.size() && byte_at(file, at) == 0xFF) ++at;
  if (at >= file.size()) return fail(Error::Kind::kFormat, "JPEG: ends within its segments");
  segment.marker = byte_at(file, at++);
  segment.end = at;
  if (is_alone(segment.marker) || segment.marker == kEndOfImage) return segment;
  const std::size_t length = read_uint(file, at, 2, ByteOrder::kBig);
  if (length < 2 || length > file.size() - at) return fail(Error::Kind::kFormat, "JPEG: a segment of {} bytes at {}", length, at);
  segment.data = file.subspan(at + 2, length - 2);
  segment.end = at + length;
  return segment;
}

}  // namespace

Result<std::vector<JpegSegment>> jpeg_segments(Bytes file) {
  std::vector<JpegSegment> segments;
  std::size_t at = 2;  // behind SOI
  while (true) {
    FOVEA_ASSIGN(const JpegSegment segment, segment_at(file, at));
    if (segment.marker == kStartOfScan) return segments;
    if (segment.marker == kEndOfImage) return fail(Error::Kind::kFormat, "JPEG: no picture");
    segments.push_back(segment);
    at = segment.end;
  }
}

Result<std::size_t> jpeg_picture_end(Bytes file, std::size_t scan) {
  std::size_t at = scan;
  while (true) {
    FOVEA_ASSIGN(const JpegSegment segment, segment_at(file, at));
    if (segment.marker == kEndOfImage) return segment.end;
    at = segment.end;
    if (segment.marker != kStartOfScan) continue;
    // Entropy-coded data: 0xFF there is followed by 0, by a restart marker, or by fill bytes.
    while (at + 1 < file.size()) {
      const std::uint8_t next = byte_at(file, at + 1);
      if (byte_at(file, at) == 0xFF && next != 0 && next != 0xFF && !is_alone(next)) break;
      ++at;
    }
    if (at + 1 >= file.size()) return fail(Error::Kind::kFormat, "JPEG: no end of the picture");
  }
}

}  // namespace fovea::metadata
