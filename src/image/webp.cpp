// SPDX-License-Identifier: Apache-2.0
#include <webp/decode.h>
#include <webp/demux.h>

#include <memory>

#include "core/error.h"
#include "image/byte_order.h"
#include "image/exif.h"
#include "image/loader.h"

namespace fovea {
namespace {

using namespace std::string_view_literals;

struct DeleteDemuxer {
  void operator()(WebPDemuxer* demuxer) const { WebPDemuxDelete(demuxer); }
};
using Demuxer = std::unique_ptr<WebPDemuxer, DeleteDemuxer>;

bool sniff_webp(Bytes bytes) { return has_at(bytes, 0, "RIFF"sv) && has_at(bytes, 8, "WEBP"sv); }

// The container with all of its chunks; the demuxer has compared their sizes with the file's and with each other.
Result<Demuxer> open_container(Bytes bytes) {
  const WebPData data{reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()};
  WebPDemuxState state{};
  Demuxer demuxer(WebPDemuxPartial(&data, &state));
  if (demuxer != nullptr && state == WEBP_DEMUX_DONE) return demuxer;
  return fail(Error::Kind::kFormat, "{}",
              state == WEBP_DEMUX_PARSE_ERROR ? "damaged container" : "truncated: the data end too early");
}

int orientation_of(const WebPDemuxer* demuxer) {
  WebPChunkIterator chunk;
  if (WebPDemuxGetChunk(demuxer, "EXIF", 1, &chunk) == 0) return 1;
  const int orientation = exif_orientation(std::as_bytes(std::span(chunk.chunk.bytes, chunk.chunk.size)));
  WebPDemuxReleaseChunkIterator(&chunk);
  return orientation;
}

Result<Header> read_webp_header(Bytes bytes) {
  FOVEA_ASSIGN(const Demuxer demuxer, open_container(bytes));
  return Header{static_cast<int>(WebPDemuxGetI(demuxer.get(), WEBP_FF_CANVAS_WIDTH)),
                static_cast<int>(WebPDemuxGetI(demuxer.get(), WEBP_FF_CANVAS_HEIGHT)), orientation_of(demuxer.get())};
}

// A still picture covers the canvas; what the first frame of an animation leaves free stays transparent.
Result<Raster> decode_webp(Bytes bytes, const Header& header, int /*shorter_side_wanted*/) {
  FOVEA_ASSIGN(const Demuxer demuxer, open_container(bytes));
  WebPIterator frame;
  if (WebPDemuxGetFrame(demuxer.get(), 1, &frame) == 0) return fail(Error::Kind::kFormat, "no picture inside");
  const std::unique_ptr<WebPIterator, decltype(&WebPDemuxReleaseIterator)> release(&frame, &WebPDemuxReleaseIterator);
  if (frame.complete == 0) return fail(Error::Kind::kFormat, "truncated: the first frame ends too early");
  if (frame.x_offset < 0 || frame.y_offset < 0 || frame.width > header.width - frame.x_offset ||
      frame.height > header.height - frame.y_offset) {
    return fail(Error::Kind::kFormat, "first frame reaches outside of the {}x{} canvas", header.width, header.height);
  }
  const bool covers = frame.width == header.width && frame.height == header.height;
  Raster raster(header.width, header.height, frame.has_alpha != 0 || !covers ? 4 : 3, 8);
  const std::size_t offset = static_cast<std::size_t>(frame.x_offset) * static_cast<std::size_t>(raster.channels);
  std::uint8_t* const start = raster.row(frame.y_offset) + offset;
  const std::size_t room = raster.samples.size() - static_cast<std::size_t>(start - raster.samples.data());
  const auto decode = raster.channels == 4 ? WebPDecodeRGBAInto : WebPDecodeRGBInto;
  if (decode(frame.fragment.bytes, frame.fragment.size, start, room, static_cast<int>(raster.row_bytes())) == nullptr) {
    return fail(Error::Kind::kFormat, "damaged picture data");
  }
  return raster;
}

}  // namespace

const Loader kWebpLoader{ImageFormat::kWebp, "WebP", sniff_webp, read_webp_header, decode_webp};

}  // namespace fovea
