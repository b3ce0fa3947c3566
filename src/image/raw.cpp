// SPDX-License-Identifier: Apache-2.0
//
// Raw photos, by the JPEG that the camera has put into them: what the photographer saw.
#include "image/raw.h"

#include <algorithm>
#include <array>

#include "core/error.h"
#include "image/exif.h"
#include "image/loader.h"
#include "image/raw_formats.h"

namespace fovea {
namespace {

constexpr std::array<const RawFormat*, 6> kFormats{&kTiffRaw, &kRaf, &kCr3, &kMrw, &kCrw, &kX3f};

const RawFormat* format_of(Bytes file) {
  const auto* const found = std::ranges::find_if(kFormats, [&](const RawFormat* format) { return format->is_one(file); });
  return found == kFormats.end() ? nullptr : *found;
}

struct Preview {
  Bytes jpeg;
  Header header;
};

// The largest that the JPEG decoder takes: raw data may be compressed in ways that call themselves JPEG too.
Preview largest(const RawContent& content) {
  Preview best;
  for (const Bytes candidate : content.jpegs) {
    if (candidate.size() <= best.jpeg.size() || !kJpegLoader.sniff(candidate)) continue;
    if (const auto header = kJpegLoader.read_header(candidate)) best = {candidate, *header};
  }
  // Cameras turn the preview as little as the raw data; the file says how both are to be turned.
  if (content.orientation) best.header.orientation = *content.orientation;
  return best;
}

Result<Preview> preview_of(Bytes file) {
  const Preview preview = largest(raw_content(file));
  if (preview.jpeg.empty()) return fail(Error::Kind::kUnsupported, "no JPEG preview inside");
  return preview;
}

Result<Header> read_raw_header(Bytes bytes) {
  FOVEA_ASSIGN(const Preview preview, preview_of(bytes));
  return preview.header;
}

Result<Raster> decode_raw(Bytes bytes, const Header& header, int shorter_side_wanted) {
  FOVEA_ASSIGN(const Preview preview, preview_of(bytes));
  return kJpegLoader.decode(preview.jpeg, header, shorter_side_wanted);
}

}  // namespace

bool is_raw(Bytes file) { return format_of(file) != nullptr; }

RawContent raw_content(Bytes file) {
  const RawFormat* const format = format_of(file);
  if (format == nullptr) return {};
  RawContent content = format->read(file);
  if (!content.orientation && !content.description.empty()) content.orientation = exif_orientation(content.description);
  return content;
}

Bytes raw_preview(const RawContent& content) { return largest(content).jpeg; }

const Loader kRawLoader{ImageFormat::kRaw, "raw photo", is_raw, read_raw_header, decode_raw};

}  // namespace fovea
