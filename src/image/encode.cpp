// SPDX-License-Identifier: Apache-2.0
#include "image/encode.h"

#include <png.h>

#include <cassert>
#include <csetjmp>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <new>
#include <span>

#include "image/libjpeg.h"

namespace fovea {
namespace {

// With a sound picture and memory as the target, running out of memory is all that can go wrong.
// Both libraries are C: the failure leaves them as a jump and becomes an exception after that.
struct JpegCompressor {
  JpegCompressor() {
    info.err = jpeg_std_error(&errors);
    info.client_data = this;
    errors.error_exit = [](j_common_ptr any) { std::longjmp(static_cast<JpegCompressor*>(any->client_data)->escape, 1); };
    errors.output_message = [](j_common_ptr) {};
  }
  JpegCompressor(const JpegCompressor&) = delete;
  JpegCompressor& operator=(const JpegCompressor&) = delete;
  ~JpegCompressor() {
    jpeg_destroy_compress(&info);
    std::free(bytes);  // NOLINT(cppcoreguidelines-no-malloc): libjpeg allocated it
  }

  bool run(const Image& image, int quality) {
    if (setjmp(escape) != 0) return false;
    jpeg_create_compress(&info);
    jpeg_mem_dest(&info, &bytes, &size);
    info.image_width = static_cast<JDIMENSION>(image.width);
    info.image_height = static_cast<JDIMENSION>(image.height);
    info.input_components = 3;
    info.in_color_space = JCS_RGB;
    jpeg_set_defaults(&info);
    jpeg_set_quality(&info, quality, TRUE);
    if (quality >= 90) info.comp_info[0].h_samp_factor = info.comp_info[0].v_samp_factor = 1;
    jpeg_start_compress(&info, TRUE);
    while (info.next_scanline < info.image_height) {
      auto* row = const_cast<JSAMPROW>(image.row(static_cast<int>(info.next_scanline)));
      jpeg_write_scanlines(&info, &row, 1);
    }
    jpeg_finish_compress(&info);
    return true;
  }

  jpeg_compress_struct info{};
  jpeg_error_mgr errors{};
  std::jmp_buf escape{};
  unsigned char* bytes = nullptr;
  unsigned long size = 0;
};

struct PngWriter {
  PngWriter() : png(png_create_write_struct(PNG_LIBPNG_VER_STRING, this, on_error, [](png_structp, png_const_charp) {})) {
    if (png == nullptr) throw std::bad_alloc();
    info = png_create_info_struct(png);
    png_set_write_fn(png, this, on_write, [](png_structp) {});
  }
  PngWriter(const PngWriter&) = delete;
  PngWriter& operator=(const PngWriter&) = delete;
  ~PngWriter() { png_destroy_write_struct(&png, &info); }

  [[noreturn]] static void on_error(png_structp any, png_const_charp) {
    std::longjmp(static_cast<PngWriter*>(png_get_error_ptr(any))->escape, 1);
  }

  static void on_write(png_structp any, png_bytep data, std::size_t count) {
    auto& out = static_cast<PngWriter*>(png_get_io_ptr(any))->bytes;
    const auto added = std::as_bytes(std::span(data, count));
    bool full = false;
    try {
      out.insert(out.end(), added.begin(), added.end());
    } catch (const std::bad_alloc&) {
      full = true;
    }
    if (full) png_error(any, "out of memory");
  }

  bool run(const Image& image, int level) {
    if (setjmp(escape) != 0) return false;
    png_set_IHDR(png, info, static_cast<png_uint_32>(image.width), static_cast<png_uint_32>(image.height), 8, PNG_COLOR_TYPE_RGB,
                 PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    png_set_compression_level(png, level);
    png_write_info(png, info);
    for (int y = 0; y < image.height; ++y) png_write_row(png, image.row(y));
    png_write_end(png, info);
    return true;
  }

  png_structp png;
  png_infop info = nullptr;
  std::jmp_buf escape{};
  std::vector<std::byte> bytes;
};

}  // namespace

std::vector<std::byte> encode_jpeg(const Image& image, int quality) {
  assert(image.width > 0 && image.width <= JPEG_MAX_DIMENSION && image.height > 0 && image.height <= JPEG_MAX_DIMENSION);
  JpegCompressor jpeg;
  if (!jpeg.run(image, quality)) throw std::bad_alloc();
  const auto bytes = std::as_bytes(std::span(jpeg.bytes, jpeg.size));
  return {bytes.begin(), bytes.end()};
}

std::vector<std::byte> encode_png(const Image& image, int level) {
  assert(image.width > 0 && image.height > 0);
  PngWriter writer;
  if (!writer.run(image, level)) throw std::bad_alloc();
  return std::move(writer.bytes);
}

}  // namespace fovea
