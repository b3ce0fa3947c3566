// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <csetjmp>
#include <cstdio>
#include <vector>

#include "core/error.h"
#include "image/byte_order.h"
#include "image/exif.h"
#include "image/libjpeg.h"
#include "image/loader.h"

namespace fovea {
namespace {

using namespace std::string_view_literals;

// Real progressive files have about ten scans; each one can cost a pass over all coefficients.
constexpr int kMaxScans = 100;

// libjpeg with memory as its source, errors as a jump back here, and no output. Nothing with a destructor may live in
// a frame that the jump skips: the steps given to attempt() hold none.
class Decompressor {
 public:
  explicit Decompressor(Bytes bytes) : bytes_(bytes) {
    info.err = jpeg_std_error(&errors_);
    info.client_data = this;
    errors_.error_exit = [](j_common_ptr any) { self(any).leave(); };
    errors_.emit_message = [](j_common_ptr any, int level) { self(any).remark(level); };
    errors_.output_message = [](j_common_ptr) {};
    source_.init_source = [](j_decompress_ptr) {};
    source_.fill_input_buffer = [](j_decompress_ptr any) { return self(any).end_of_data(); };
    source_.skip_input_data = [](j_decompress_ptr any, long count) { self(any).skip(count); };
    source_.resync_to_restart = jpeg_resync_to_restart;
    source_.term_source = [](j_decompress_ptr) {};
    source_.next_input_byte = reinterpret_cast<const JOCTET*>(bytes.data());
    source_.bytes_in_buffer = bytes.size();
    progress_.progress_monitor = [](j_common_ptr any) { self(any).count_scans(); };
  }
  Decompressor(const Decompressor&) = delete;
  Decompressor& operator=(const Decompressor&) = delete;
  ~Decompressor() { jpeg_destroy_decompress(&info); }

  template <class Step>
  Result<void> attempt(const Step& step) {
    if (setjmp(escape_) != 0) return fail(Error::Kind::kFormat, "{}", printable(message_.data(), message_.size()));
    step();
    return {};
  }

  Result<void> read_header() {
    FOVEA_TRY(attempt([this] {
      jpeg_create_decompress(&info);
      info.src = &source_;
      info.progress = &progress_;
      jpeg_save_markers(&info, JPEG_APP0 + 1, 0xFFFF);
      jpeg_read_header(&info, TRUE);
    }));
    return {};
  }

  // The data stopped before the end marker that would say that nothing is missing.
  [[nodiscard]] bool ran_out() const { return ran_out_; }

  jpeg_decompress_struct info{};

 private:
  static Decompressor& self(j_common_ptr any) { return *static_cast<Decompressor*>(any->client_data); }
  static Decompressor& self(j_decompress_ptr any) { return *static_cast<Decompressor*>(any->client_data); }

  [[noreturn]] void leave() {
    errors_.format_message(reinterpret_cast<j_common_ptr>(&info), message_.data());
    std::longjmp(escape_, 1);
  }

  // Lost picture data is an error. Oddities that lose none (bytes between segments, unknown revisions) are not.
  void remark(int level) {
    if (level >= 0) return;
    switch (errors_.msg_code) {
      case JWRN_HIT_MARKER:
      case JWRN_JPEG_EOF:
      case JWRN_HUFF_BAD_CODE:
      case JWRN_ARITH_BAD_CODE:
      case JWRN_MUST_RESYNC: leave();
      default: return;
    }
  }

  // Gives an end marker in place of missing data. If entropy-coded data are what is missing, libjpeg meets the marker
  // too early and warns; a picture that is whole but for its own end marker (some cameras' streams) passes.
  boolean end_of_data() {
    static constexpr std::array<JOCTET, 2> kEnd{0xFF, JPEG_EOI};
    ran_out_ = true;
    source_.next_input_byte = kEnd.data();
    source_.bytes_in_buffer = kEnd.size();
    return TRUE;
  }

  void skip(long count) {
    if (count <= 0) return;
    if (static_cast<std::size_t>(count) > source_.bytes_in_buffer) {
      end_of_data();
      return;
    }
    source_.next_input_byte += count;
    source_.bytes_in_buffer -= static_cast<std::size_t>(count);
  }

  void count_scans() {
    if (info.input_scan_number <= kMaxScans) return;
    std::snprintf(message_.data(), message_.size(), "more than %d scans", kMaxScans);
    std::longjmp(escape_, 1);
  }

  Bytes bytes_;
  jpeg_error_mgr errors_{};
  jpeg_source_mgr source_{};
  jpeg_progress_mgr progress_{};
  std::array<char, JMSG_LENGTH_MAX> message_{};
  std::jmp_buf escape_{};
  bool ran_out_ = false;
};

bool sniff_jpeg(Bytes bytes) { return has_at(bytes, 0, "\xFF\xD8\xFF"sv); }

// Every block takes at least one bit of a Huffman-coded file, so a short file cannot hold a large picture.
Result<void> check_plausible(const jpeg_decompress_struct& info, std::size_t bytes) {
  if (info.arith_code != FALSE) return {};
  std::uint64_t blocks = 0;
  for (int i = 0; i < info.num_components; ++i) {
    blocks += std::uint64_t{info.comp_info[i].width_in_blocks} * info.comp_info[i].height_in_blocks;
  }
  if (blocks / 8 <= bytes) return {};
  return fail(Error::Kind::kFormat, "truncated: {} bytes cannot hold {}x{} pixels", bytes, info.image_width, info.image_height);
}

Result<Header> read_jpeg_header(Bytes bytes) {
  Decompressor jpeg(bytes);
  FOVEA_TRY(jpeg.read_header());
  FOVEA_TRY(check_plausible(jpeg.info, bytes.size()));
  Header header{static_cast<int>(jpeg.info.image_width), static_cast<int>(jpeg.info.image_height), 1};
  for (auto* marker = jpeg.info.marker_list; marker != nullptr; marker = marker->next) {
    const Bytes segment = std::as_bytes(std::span(marker->data, marker->data_length));
    if (!has_at(segment, 0, "Exif\0"sv)) continue;
    header.orientation = exif_orientation(segment);
    break;
  }
  return header;
}

// Whether an end marker follows the last scan: what other decoders make of a picture without one is theirs.
bool has_end(Bytes bytes) {
  for (std::size_t i = bytes.size(); i >= 2; --i) {
    if (bytes[i - 2] != std::byte{0xFF}) continue;
    if (bytes[i - 1] == std::byte{0xD9}) return true;
    if (bytes[i - 1] == std::byte{0xDA}) return false;
  }
  return false;
}

// Smallest eighths of the size, of those that have fast transforms, that keep `wanted` pixels on the shorter side.
unsigned eighths_for(const jpeg_decompress_struct& info, int wanted) {
  if (wanted <= 0) return 8;
  const std::uint64_t shorter = std::min(info.image_width, info.image_height);
  for (const unsigned eighths : {1U, 2U, 4U}) {
    if (shorter * eighths >= static_cast<std::uint64_t>(wanted) * 8) return eighths;
  }
  return 8;
}

// Adobe's programs, and after them everyone, store ink inverted: 255 is none. Ink takes light away from white.
void cmyk_to_rgb(const std::uint8_t* cmyk, int width, std::uint8_t* rgb) {
  for (int x = 0; x < width; ++x, cmyk += 4, rgb += 3) {
    for (int i = 0; i < 3; ++i) rgb[i] = static_cast<std::uint8_t>((cmyk[i] * cmyk[3] + 127) / 255);
  }
}

Result<void> read_rows(Decompressor& jpeg, Raster& raster) {
  const bool cmyk = jpeg.info.out_color_space == JCS_CMYK;
  std::vector<std::uint8_t> ink(cmyk ? static_cast<std::size_t>(raster.width) * 4 : 0);
  return jpeg.attempt([&] {
    while (jpeg.info.output_scanline < jpeg.info.output_height) {
      const int y = static_cast<int>(jpeg.info.output_scanline);
      if (cmyk) {
        JSAMPROW row = ink.data();
        jpeg_read_scanlines(&jpeg.info, &row, 1);
        cmyk_to_rgb(ink.data(), raster.width, raster.row(y));
        continue;
      }
      std::array<JSAMPROW, 8> rows{};
      const int count = std::min(static_cast<int>(rows.size()), raster.height - y);
      for (int i = 0; i < count; ++i) rows[static_cast<std::size_t>(i)] = raster.row(y + i);
      jpeg_read_scanlines(&jpeg.info, rows.data(), static_cast<JDIMENSION>(count));
    }
  });
}

Result<Raster> decode_jpeg(Bytes bytes, const Header& /*header*/, int shorter_side_wanted) {
  Decompressor jpeg(bytes);
  FOVEA_TRY(jpeg.read_header());
  jpeg_decompress_struct& info = jpeg.info;
  switch (info.jpeg_color_space) {
    case JCS_GRAYSCALE: info.out_color_space = JCS_GRAYSCALE; break;
    case JCS_RGB:
    case JCS_YCbCr: info.out_color_space = JCS_RGB; break;
    case JCS_CMYK:
    case JCS_YCCK: info.out_color_space = JCS_CMYK; break;
    default:
      return fail(Error::Kind::kUnsupported, "{} colour components, expected 1 (grey), 3 (RGB, YCbCr) or 4 (CMYK, YCCK)",
                  info.num_components);
  }
  info.scale_num = eighths_for(info, shorter_side_wanted);
  info.scale_denom = 8;
  FOVEA_TRY(jpeg.attempt([&] { jpeg_start_decompress(&info); }));
  if (jpeg.ran_out() && jpeg_has_multiple_scans(&info) != FALSE)
    return fail(Error::Kind::kFormat, "truncated: scans are missing");
  Raster raster(static_cast<int>(info.output_width), static_cast<int>(info.output_height),
                info.out_color_space == JCS_GRAYSCALE ? 1 : 3, 8);
  FOVEA_TRY(read_rows(jpeg, raster));
  // The arithmetic decoder takes missing data for zeros without a word.
  if (jpeg.ran_out() && info.arith_code != FALSE) return fail(Error::Kind::kFormat, "truncated: the data end too early");
  return raster;
}

}  // namespace

Result<std::string> oddity_of_jpeg(Bytes bytes) {
  Decompressor jpeg(bytes);
  FOVEA_TRY(jpeg.read_header());
  const jpeg_decompress_struct& info = jpeg.info;
  if (info.arith_code != FALSE) return std::string("arithmetically coded");
  if (info.data_precision != 8) return std::string("not of 8 bits");
  if (info.jpeg_color_space != JCS_GRAYSCALE && info.jpeg_color_space != JCS_YCbCr)
    return std::string("colours other than grey and YCbCr");
  if (!has_end(bytes)) return std::string("without an end");
  return std::string();
}

const Loader kJpegLoader{ImageFormat::kJpeg, "JPEG", sniff_jpeg, read_jpeg_header, decode_jpeg};

}  // namespace fovea
