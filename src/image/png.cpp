// SPDX-License-Identifier: Apache-2.0
#include <png.h>

#include <array>
#include <bit>
#include <csetjmp>
#include <cstdio>
#include <cstring>

#include "core/error.h"
#include "image/byte_order.h"
#include "image/exif.h"
#include "image/loader.h"

namespace fovea {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view kSignature = "\x89PNG\r\n\x1A\n"sv;

// libpng with memory as its source, errors as a jump back here, and no output. Nothing with a destructor may live in
// a frame that the jump skips: the steps given to attempt() hold none.
class Reader {
 public:
  explicit Reader(Bytes bytes) : bytes_(bytes) {
    png = png_create_read_struct(PNG_LIBPNG_VER_STRING, this, on_error, [](png_structp, png_const_charp) {});
    if (png == nullptr) throw std::bad_alloc();
    info = png_create_info_struct(png);
    png_set_read_fn(png, this, [](png_structp any, png_bytep out, std::size_t count) {
      static_cast<Reader*>(png_get_io_ptr(any))->read(out, count);
    });
    // Only what changes pixels: other chunks are skipped unread.
    static constexpr std::array<png_byte, 5> kTransparency{'t', 'R', 'N', 'S', 0};
    png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, nullptr, -1);
    png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_AS_DEFAULT, kTransparency.data(), 1);
  }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;
  ~Reader() { png_destroy_read_struct(&png, &info, nullptr); }

  template <class Step>
  Result<void> attempt(const Step& step) {
    if (setjmp(escape_) != 0) return fail(Error::Kind::kFormat, "{}", printable(message_.data()));
    step();
    return {};
  }

  png_structp png = nullptr;
  png_infop info = nullptr;

 private:
  [[noreturn]] static void on_error(png_structp any, png_const_charp text) {
    auto& self = *static_cast<Reader*>(png_get_error_ptr(any));
    std::snprintf(self.message_.data(), self.message_.size(), "%s", text);
    std::longjmp(self.escape_, 1);
  }

  void read(png_bytep out, std::size_t count) {
    if (count > bytes_.size()) png_error(png, "truncated: the data end too early");
    std::memcpy(out, bytes_.data(), count);
    bytes_ = bytes_.subspan(count);
  }

  Bytes bytes_;
  std::array<char, 128> message_{};
  std::jmp_buf escape_{};
};

bool sniff_png(Bytes bytes) { return has_at(bytes, 0, kSignature); }

// The eXIf chunk, wherever it stands.
int orientation_of(Bytes bytes) {
  std::size_t at = kSignature.size();
  while (at + 12 <= bytes.size()) {  // length, name, data, check sum
    const std::size_t length = read_uint(bytes, at, 4, ByteOrder::kBig);
    if (length > bytes.size() - at - 12) return 1;
    if (has_at(bytes, at + 4, "eXIf"sv)) return exif_orientation(bytes.subspan(at + 8, length));
    at += 12 + length;
  }
  return 1;
}

Result<Header> read_png_header(Bytes bytes) {
  Reader reader(bytes);
  FOVEA_TRY(reader.attempt([&] { png_read_info(reader.png, reader.info); }));
  const std::uint64_t width = png_get_image_width(reader.png, reader.info);
  const std::uint64_t height = png_get_image_height(reader.png, reader.info);
  // Deflate makes at most 1032 bytes of one, so a short file cannot hold a large picture.
  if (png_get_rowbytes(reader.png, reader.info) * height / 1032 > bytes.size()) {
    return fail(Error::Kind::kFormat, "truncated: {} bytes cannot hold {}x{} pixels", bytes.size(), width, height);
  }
  return Header{static_cast<int>(width), static_cast<int>(height), orientation_of(bytes)};
}

Result<Raster> decode_png(Bytes bytes, const Header& /*header*/, int /*shorter_side_wanted*/) {
  Reader reader(bytes);
  int passes = 1;
  FOVEA_TRY(reader.attempt([&] {
    png_read_info(reader.png, reader.info);
    png_set_expand(reader.png);  // palette to RGB, 1 to 4 bits to 8, tRNS to alpha
    if constexpr (std::endian::native == std::endian::little) png_set_swap(reader.png);
    passes = png_set_interlace_handling(reader.png);
    png_read_update_info(reader.png, reader.info);
  }));
  Raster raster(static_cast<int>(png_get_image_width(reader.png, reader.info)),
                static_cast<int>(png_get_image_height(reader.png, reader.info)), png_get_channels(reader.png, reader.info),
                png_get_bit_depth(reader.png, reader.info));
  if (raster.row_bytes() != png_get_rowbytes(reader.png, reader.info)) {
    return fail(Error::Kind::kUnsupported, "rows of {} bytes, expected {}", png_get_rowbytes(reader.png, reader.info),
                raster.row_bytes());
  }
  FOVEA_TRY(reader.attempt([&] {
    for (int pass = 0; pass < passes; ++pass) {
      for (int y = 0; y < raster.height; ++y) png_read_row(reader.png, raster.row(y), nullptr);
    }
  }));
  return raster;
}

}  // namespace

const Loader kPngLoader{ImageFormat::kPng, "PNG", sniff_png, read_png_header, decode_png};

}  // namespace fovea
