// SPDX-License-Identifier: Apache-2.0
#include "video/to_image.h"

extern "C" {
#include <libavutil/imgutils.h>
#include <libavutil/pixdesc.h>
}

#include <cstring>
#include <utility>

#include "core/error.h"
#include "image/raster.h"

namespace fovea::video {
namespace {

struct Release {
  void operator()(std::uint8_t* memory) const { av_free(memory); }
};

int table_of(YuvMatrix matrix) {
  switch (matrix) {
    case YuvMatrix::kBt709: return SWS_CS_ITU709;
    case YuvMatrix::kBt2020: return SWS_CS_BT2020;
    case YuvMatrix::kBt601: break;
  }
  return SWS_CS_ITU601;
}

}  // namespace

// The "J" formats say in their name what their range field may leave out.
bool is_full_range(const AVFrame& frame) {
  if (frame.color_range != AVCOL_RANGE_UNSPECIFIED) return frame.color_range == AVCOL_RANGE_JPEG;
  return frame.format == AV_PIX_FMT_YUVJ420P || frame.format == AV_PIX_FMT_YUVJ422P || frame.format == AV_PIX_FMT_YUVJ444P;
}

YuvMatrix matrix_of(const AVFrame& frame) {
  switch (frame.colorspace) {
    case AVCOL_SPC_BT709: return YuvMatrix::kBt709;
    case AVCOL_SPC_BT2020_NCL:
    case AVCOL_SPC_BT2020_CL: return YuvMatrix::kBt2020;
    case AVCOL_SPC_UNSPECIFIED: return frame.height >= 720 && !is_full_range(frame) ? YuvMatrix::kBt709 : YuvMatrix::kBt601;
    default: return YuvMatrix::kBt601;
  }
}

Result<Image> ToImage::operator()(const AVFrame& frame, int orientation, bool fast) {
  const auto format = static_cast<AVPixelFormat>(frame.format);
  scaler_.reset(sws_getCachedContext(
      scaler_.release(), frame.width, frame.height, format, frame.width, frame.height, AV_PIX_FMT_RGB24,
      fast ? SWS_FAST_BILINEAR : SWS_BILINEAR | SWS_ACCURATE_RND | SWS_FULL_CHR_H_INT, nullptr, nullptr, nullptr));
  const char* name = av_get_pix_fmt_name(format);
  if (!scaler_) return fail(Error::Kind::kUnsupported, "pixel format {} of a frame", name == nullptr ? "?" : name);
  // Refused for formats that are RGB already, which need none.
  static_cast<void>(sws_setColorspaceDetails(scaler_.get(), sws_getCoefficients(table_of(matrix_of(frame))),
                                             is_full_range(frame) ? 1 : 0, sws_getCoefficients(SWS_CS_DEFAULT), 1, 0, 1 << 16,
                                             1 << 16));
  // The scaler's kernels may write past a row's end, so the rows are padded here and packed afterwards.
  std::uint8_t* planes[4] = {};
  int strides[4] = {};
  if (const int code = av_image_alloc(planes, strides, frame.width, frame.height, AV_PIX_FMT_RGB24, 64); code < 0) {
    return fail(Error::Kind::kLimit, "a frame of {} by {} pixels: {}", frame.width, frame.height, text_of(code));
  }
  const std::unique_ptr<std::uint8_t, Release> memory(planes[0]);
  const int rows = sws_scale(scaler_.get(), frame.data, frame.linesize, 0, frame.height, planes, strides);
  if (rows != frame.height) return fail(Error::Kind::kFormat, "a frame whose colours cannot be converted");
  Image image(frame.width, frame.height);
  for (int y = 0; y < frame.height; ++y) {
    std::memcpy(image.row(y), memory.get() + static_cast<std::ptrdiff_t>(y) * strides[0],
                static_cast<std::size_t>(frame.width) * 3);
  }
  return upright(std::move(image), orientation);
}

}  // namespace fovea::video
