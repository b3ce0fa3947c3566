// A stand-in for nvJPEG: the functions of its interface that Fovea calls, over libjpeg, on memory that is the host's. Pictures of
// some widths fail, each in its way.
// SPDX-License-Identifier: Apache-2.0
#include <atomic>
#include <csetjmp>
#include <cstring>

#include "backend/cuda/jpeg/nvjpeg.h"
#include "image/libjpeg.h"

namespace nv = fovea::cuda::nvjpeg;

namespace {

std::atomic<int> alive{0};  // handles and states
int memory_of_state;
#ifndef FAKE_BROKEN
int memory_of_handle;
#endif

struct Errors {
  jpeg_error_mgr base;
  std::jmp_buf escape;
};

/// Reads the header and calls `go`; false where libjpeg gives up.
template <class Go>
bool with_jpeg(const unsigned char* data, std::size_t length, const Go& go) {
  jpeg_decompress_struct info{};
  Errors errors{};
  info.err = jpeg_std_error(&errors.base);
  errors.base.error_exit = [](j_common_ptr any) { std::longjmp(reinterpret_cast<Errors*>(any->err)->escape, 1); };
  errors.base.output_message = [](j_common_ptr) {};
  if (setjmp(errors.escape) != 0) {
    jpeg_destroy_decompress(&info);
    return false;
  }
  jpeg_create_decompress(&info);
  jpeg_mem_src(&info, data, length);
  jpeg_read_header(&info, TRUE);
  go(info);
  jpeg_destroy_decompress(&info);
  return true;
}

}  // namespace

// NOLINTBEGIN(readability-identifier-naming): nvJPEG's names
#define FAKE extern "C" [[gnu::visibility("default")]]

FAKE int fake_nvjpeg_alive() { return alive; }

FAKE nv::Status nvjpegGetProperty(int property, int* value) {
  *value = property == nv::kMajorVersion ? FAKE_VERSION : 0;
  return nv::kSuccess;
}
FAKE nv::Status nvjpegCreateSimple(nv::Handle* handle) {
#ifdef FAKE_BROKEN
  *handle = nullptr;
  return nv::kArchMismatch;
#else
  ++alive;
  *handle = reinterpret_cast<nv::Handle>(&memory_of_handle);
  return nv::kSuccess;
#endif
}
FAKE nv::Status nvjpegDestroy(nv::Handle /*handle*/) { return --alive, nv::kSuccess; }
FAKE nv::Status nvjpegJpegStateCreate(nv::Handle /*handle*/, nv::State* state) {
  ++alive;
  *state = reinterpret_cast<nv::State>(&memory_of_state);
  return nv::kSuccess;
}
FAKE nv::Status nvjpegJpegStateDestroy(nv::State /*state*/) { return --alive, nv::kSuccess; }

FAKE nv::Status nvjpegGetImageInfo(nv::Handle /*handle*/, const unsigned char* data, std::size_t length, int* components,
                                   int* subsampling, int* widths, int* heights) {
  bool progressive = false;
  const bool read = with_jpeg(data, length, [&](jpeg_decompress_struct& info) {
    *components = info.num_components;
    widths[0] = static_cast<int>(info.image_width);
    heights[0] = static_cast<int>(info.image_height);
    progressive = info.progressive_mode != FALSE;
  });
  if (!read) return nv::kBadJpeg;
  *subsampling = widths[0] == 71 ? nv::kUnknownSubsampling : 0;
  return progressive ? nv::kJpegNotSupported : nv::kSuccess;
}

FAKE nv::Status nvjpegDecode(nv::Handle /*handle*/, nv::State /*state*/, const unsigned char* data, std::size_t length,
                             int format, nv::Image* destination, fovea::cuda::Stream /*stream*/) {
  if (format != nv::kRgbInterleaved) return nv::kInvalidParameter;
  nv::Status status = nv::kSuccess;
  const bool read = with_jpeg(data, length, [&](jpeg_decompress_struct& info) {
    if (info.image_width == 97) status = nv::kBadJpeg;
    if (info.image_width == 89) status = nv::kAllocatorFailure;
    if (status != nv::kSuccess) return;
    info.out_color_space = JCS_RGB;
    jpeg_start_decompress(&info);
    while (info.output_scanline < info.output_height) {
      JSAMPROW row = destination->channel[0] + info.output_scanline * destination->pitch[0];
      jpeg_read_scanlines(&info, &row, 1);
    }
  });
  return read ? status : nv::kBadJpeg;
}
// NOLINTEND(readability-identifier-naming)
