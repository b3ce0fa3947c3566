// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <memory>
#include <vector>

#include "core/error.h"
#include "image/byte_order.h"
#include "image/codec_library.h"
#include "image/loader.h"
#include "image/tiff_library.h"

namespace fovea {
namespace {

using namespace std::string_view_literals;

bool sniff_tiff(Bytes bytes) {
  return has_at(bytes, 0, "II*\0"sv) || has_at(bytes, 0, "MM\0*"sv) || has_at(bytes, 0, "II+\0"sv) || has_at(bytes, 0, "MM\0+"sv);
}

constexpr std::uint64_t kSmallAllocation = std::uint64_t{64} << 20;

// libtiff with memory as its source; the first error is kept, nothing is printed.
class Reader {
 public:
  Reader(const TiffLibrary& library, Bytes bytes) : lib(library), bytes_(bytes) {}
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;
  ~Reader() {
    if (tiff != nullptr) lib.Close(tiff);
  }

  /// `allocation`: the most that libtiff may ask for at once.
  Result<void> open(std::uint64_t allocation) {
    const std::unique_ptr<TIFFOpenOptions, decltype(lib.OpenOptionsFree)> options(lib.OpenOptionsAlloc(), lib.OpenOptionsFree);
    if (options == nullptr) throw std::bad_alloc();
    lib.OpenOptionsSetMaxSingleMemAlloc(options.get(), static_cast<tmsize_t>(allocation));
    lib.OpenOptionsSetErrorHandlerExtR(options.get(), on_error, this);
    lib.OpenOptionsSetWarningHandlerExtR(
        options.get(), [](TIFF*, void*, const char*, const char*, va_list) { return 1; }, nullptr);
    tiff = lib.ClientOpenExt(
        "TIFF", "rm", this, read, [](thandle_t, void*, tmsize_t) -> tmsize_t { return -1; }, seek, [](thandle_t) { return 0; },
        [](thandle_t any) { return self(any).bytes_.size(); }, nullptr, nullptr, options.get());
    if (tiff == nullptr) return failure("damaged directory");
    return {};
  }

  [[nodiscard]] Error failure(const char* otherwise) const {
    return fail(Error::Kind::kFormat, "{}", message_[0] != '\0' ? printable(message_.data(), message_.size()) : otherwise);
  }

  [[nodiscard]] std::uint16_t tag16(ttag_t tag) const {
    std::uint16_t value = 0;
    lib.GetFieldDefaulted(tiff, tag, &value);
    return value;
  }
  [[nodiscard]] std::uint32_t tag32(ttag_t tag) const {
    std::uint32_t value = 0;
    lib.GetFieldDefaulted(tiff, tag, &value);
    return value;
  }

  const TiffLibrary& lib;
  TIFF* tiff = nullptr;

 private:
  static Reader& self(thandle_t any) { return *static_cast<Reader*>(any); }

  static int on_error(TIFF*, void* any, const char*, const char* format, va_list arguments) {
    auto& message = self(any).message_;
    if (message[0] == '\0') std::vsnprintf(message.data(), message.size(), format, arguments);
    return 1;
  }

  static tmsize_t read(thandle_t any, void* out, tmsize_t count) {
    Reader& reader = self(any);
    const std::size_t left = reader.bytes_.size() - std::min<std::uint64_t>(reader.at_, reader.bytes_.size());
    const std::size_t got = std::min(static_cast<std::size_t>(std::max<tmsize_t>(count, 0)), left);
    if (got > 0) std::memcpy(out, reader.bytes_.data() + reader.at_, got);
    reader.at_ += got;
    return static_cast<tmsize_t>(got);
  }

  static toff_t seek(thandle_t any, toff_t offset, int whence) {
    Reader& reader = self(any);
    reader.at_ = offset + (whence == SEEK_CUR ? reader.at_ : whence == SEEK_END ? reader.bytes_.size() : 0);
    return reader.at_;
  }

  Bytes bytes_;
  std::uint64_t at_ = 0;
  std::array<char, 128> message_{};
};

Result<Header> read_tiff_header(Bytes bytes) {
  FOVEA_ASSIGN(const TiffLibrary* library, codec_library<TiffLibrary>());
  Reader reader(*library, bytes);
  FOVEA_TRY(reader.open(kSmallAllocation));
  const std::uint32_t width = reader.tag32(TIFFTAG_IMAGEWIDTH);
  const std::uint32_t height = reader.tag32(TIFFTAG_IMAGELENGTH);
  if (width > INT32_MAX || height > INT32_MAX) return fail(Error::Kind::kLimit, "{}x{} pixels", width, height);
  const int orientation = reader.tag16(TIFFTAG_ORIENTATION);
  return Header{static_cast<int>(width), static_cast<int>(height), orientation >= 1 && orientation <= 8 ? orientation : 1};
}

// The plain sample layouts, which are read as they are: libtiff's own conversion would cut 16-bit grey to 8 bits and
// multiply colour by alpha.
struct Layout {
  bool plain = false;
  bool inverted = false;    // 0 is white
  bool multiplied = false;  // colour is already multiplied by alpha
  int colours = 0;
  int channels = 0;  // colours, and alpha if there is one
  int stored = 0;    // samples a pixel in the file
  int bits = 8;
};

Layout layout_of(const Reader& reader) {
  Layout layout;
  layout.bits = reader.tag16(TIFFTAG_BITSPERSAMPLE);
  layout.stored = reader.tag16(TIFFTAG_SAMPLESPERPIXEL);
  const std::uint16_t photometric = reader.tag16(TIFFTAG_PHOTOMETRIC);
  layout.inverted = photometric == PHOTOMETRIC_MINISWHITE;
  layout.colours = photometric == PHOTOMETRIC_RGB ? 3 : 1;
  layout.channels = layout.colours;
  std::uint16_t extras = 0;
  std::uint16_t* kinds = nullptr;
  if (reader.lib.GetFieldDefaulted(reader.tiff, TIFFTAG_EXTRASAMPLES, &extras, &kinds) != 0 && extras > 0 && kinds != nullptr) {
    layout.multiplied = kinds[0] == EXTRASAMPLE_ASSOCALPHA;
    if (layout.multiplied || kinds[0] == EXTRASAMPLE_UNASSALPHA) ++layout.channels;
  }
  const bool known = photometric == PHOTOMETRIC_RGB || photometric == PHOTOMETRIC_MINISBLACK || layout.inverted;
  layout.plain = known && (layout.bits == 8 || layout.bits == 16) && layout.stored >= layout.channels && layout.stored <= 4 &&
                 reader.tag16(TIFFTAG_SAMPLEFORMAT) == SAMPLEFORMAT_UINT;
  return layout;
}

// A strip or tile: the unit that libtiff decodes.
struct Block {
  std::uint32_t width = 0;
  std::uint32_t height = 0;
  std::vector<std::uint8_t> samples;
};

Result<Block> block_of(const Reader& reader, const Raster& raster, const Layout& layout, bool separate) {
  Block block;
  const bool tiled = reader.lib.IsTiled(reader.tiff) != 0;
  block.width = tiled ? reader.tag32(TIFFTAG_TILEWIDTH) : static_cast<std::uint32_t>(raster.width);
  block.height = tiled ? reader.tag32(TIFFTAG_TILELENGTH)
                       : std::min(reader.tag32(TIFFTAG_ROWSPERSTRIP), static_cast<std::uint32_t>(raster.height));
  if (block.width == 0 || block.height == 0)
    return fail(Error::Kind::kFormat, "tiles of {}x{} pixels", block.width, block.height);
  const std::uint64_t row =
      std::uint64_t{block.width} * static_cast<std::uint64_t>((separate ? 1 : layout.stored) * layout.bits / 8);
  if (row > (kSmallAllocation + 4 * raster.samples.size()) / block.height) {
    return fail(Error::Kind::kLimit, "tiles of {}x{} pixels in a picture of {}x{}", block.width, block.height, raster.width,
                raster.height);
  }
  block.samples.resize(row * block.height);
  return block;
}

// Copies what lies inside of the picture of a block with `stored` samples a pixel into channels from `channel` on.
void place(const Block& block, int stored, std::uint32_t left, std::uint32_t top, int channel, int count, Raster& raster) {
  const std::size_t bytes = static_cast<std::size_t>(raster.bits) / 8;
  const std::uint32_t width = std::min(block.width, static_cast<std::uint32_t>(raster.width) - left);
  const std::uint32_t height = std::min(block.height, static_cast<std::uint32_t>(raster.height) - top);
  const std::size_t in_step = bytes * static_cast<std::size_t>(stored);
  const std::size_t out_step = bytes * static_cast<std::size_t>(raster.channels);
  for (std::uint32_t y = 0; y < height; ++y) {
    const std::uint8_t* in = block.samples.data() + std::size_t{y} * block.width * in_step;
    std::uint8_t* out = raster.row(static_cast<int>(top + y)) + left * out_step + static_cast<std::size_t>(channel) * bytes;
    for (std::uint32_t x = 0; x < width; ++x, in += in_step, out += out_step)
      std::memcpy(out, in, static_cast<std::size_t>(count) * bytes);
  }
}

Result<void> read_blocks(const Reader& reader, const Layout& layout, Raster& raster) {
  const bool separate = layout.stored > 1 && reader.tag16(TIFFTAG_PLANARCONFIG) == PLANARCONFIG_SEPARATE;
  const bool tiled = reader.lib.IsTiled(reader.tiff) != 0;
  FOVEA_ASSIGN(Block block, block_of(reader, raster, layout, separate));
  const auto size = static_cast<tmsize_t>(block.samples.size());
  for (int plane = 0; plane < (separate ? layout.channels : 1); ++plane) {
    const auto sample = static_cast<std::uint16_t>(plane);
    for (std::uint32_t top = 0; top < static_cast<std::uint32_t>(raster.height); top += block.height) {
      for (std::uint32_t left = 0; left < static_cast<std::uint32_t>(raster.width); left += block.width) {
        const tmsize_t got =
            tiled ? reader.lib.ReadEncodedTile(reader.tiff, reader.lib.ComputeTile(reader.tiff, left, top, 0, sample),
                                               block.samples.data(), size)
                  : reader.lib.ReadEncodedStrip(reader.tiff, reader.lib.ComputeStrip(reader.tiff, top, sample),
                                                block.samples.data(), size);
        const std::uint32_t rows = tiled ? block.height : std::min(block.height, static_cast<std::uint32_t>(raster.height) - top);
        if (got < size / block.height * rows) return reader.failure("truncated: the data end too early");
        place(block, separate ? 1 : layout.stored, left, top, plane, separate ? 1 : layout.channels, raster);
      }
    }
  }
  return {};
}

// Makes 0 black and takes alpha out of the colours.
template <class Sample>
void straighten(const Layout& layout, Raster& raster) {
  constexpr std::uint64_t kMax = sizeof(Sample) == 1 ? 255 : 65535;
  const std::size_t step = sizeof(Sample) * static_cast<std::size_t>(raster.channels);
  for (std::size_t at = 0; at < raster.samples.size(); at += step) {
    std::array<Sample, 4> pixel{};
    std::memcpy(pixel.data(), raster.samples.data() + at, step);
    const std::uint64_t alpha = pixel[static_cast<std::size_t>(layout.channels - 1)];
    for (std::size_t i = 0; i < static_cast<std::size_t>(layout.colours); ++i) {
      std::uint64_t value = layout.inverted ? kMax - pixel[i] : pixel[i];
      if (layout.multiplied) value = alpha == 0 ? 0 : std::min(kMax, (value * kMax + alpha / 2) / alpha);
      pixel[i] = static_cast<Sample>(value);
    }
    std::memcpy(raster.samples.data() + at, pixel.data(), step);
  }
}

// Everything else (palettes, few bits, YCbCr, CMYK, CIE Lab, fax) by libtiff's conversion to 8-bit RGBA.
Result<Raster> decode_rgba(const Reader& reader, const Header& header) {
  std::array<char, 1024> reason{};
  if (reader.lib.RGBAImageOK(reader.tiff, reason.data()) == 0)
    return fail(Error::Kind::kUnsupported, "{}", printable(reason.data()));
  const std::size_t count = static_cast<std::size_t>(header.width) * static_cast<std::size_t>(header.height);
  std::vector<std::uint32_t> pixels(count);
  // The orientation of the file itself: no turning here.
  if (reader.lib.ReadRGBAImageOriented(reader.tiff, static_cast<std::uint32_t>(header.width),
                                       static_cast<std::uint32_t>(header.height), pixels.data(), header.orientation, 1) == 0) {
    return reader.failure("damaged picture data");
  }
  Raster raster(header.width, header.height, 3, 8);
  std::uint8_t* out = raster.samples.data();
  for (const std::uint32_t pixel : pixels) {
    *out++ = static_cast<std::uint8_t>(TIFFGetR(pixel));
    *out++ = static_cast<std::uint8_t>(TIFFGetG(pixel));
    *out++ = static_cast<std::uint8_t>(TIFFGetB(pixel));
  }
  return raster;
}

Result<Raster> decode_tiff(Bytes bytes, const Header& header, int /*shorter_side_wanted*/) {
  FOVEA_ASSIGN(const TiffLibrary* library, codec_library<TiffLibrary>());
  Reader reader(*library, bytes);
  const std::uint64_t pixels = static_cast<std::uint64_t>(header.width) * static_cast<std::uint64_t>(header.height);
  FOVEA_TRY(reader.open(kSmallAllocation + 8 * pixels));
  const Layout layout = layout_of(reader);
  if (!layout.plain) return decode_rgba(reader, header);
  Raster raster(header.width, header.height, layout.channels, layout.bits);
  FOVEA_TRY(read_blocks(reader, layout, raster));
  if (layout.inverted || layout.multiplied) {
    layout.bits == 16 ? straighten<std::uint16_t>(layout, raster) : straighten<std::uint8_t>(layout, raster);
  }
  return raster;
}

}  // namespace

const Loader kTiffLoader{ImageFormat::kTiff, "TIFF", sniff_tiff, read_tiff_header, decode_tiff};

}  // namespace fovea
