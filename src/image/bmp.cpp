// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <vector>

#include "core/error.h"
#include "image/byte_order.h"
#include "image/loader.h"

namespace fovea {
namespace {

using namespace std::string_view_literals;

enum Compression : std::uint32_t { kRgb = 0, kRle8 = 1, kRle4 = 2, kBitFields = 3, kAlphaBitFields = 6 };

struct BmpHeader {
  std::int64_t width = 0;
  std::int64_t height = 0;
  bool top_down = false;
  std::uint32_t bits = 0;
  std::uint32_t compression = kRgb;
  std::array<std::uint32_t, 4> masks{};  // red, green, blue, alpha
  Bytes colours;                         // `colour_bytes` each: blue, green, red
  std::size_t colour_bytes = 4;
  Bytes pixels;

  [[nodiscard]] std::uint64_t row_bytes() const { return (static_cast<std::uint64_t>(width) * bits + 31) / 32 * 4; }
};

std::uint32_t u16(Bytes bytes, std::size_t at) { return read_uint(bytes, at, 2, ByteOrder::kLittle); }
std::uint32_t u32(Bytes bytes, std::size_t at) { return read_uint(bytes, at, 4, ByteOrder::kLittle); }

constexpr std::size_t kFileHeader = 14;
constexpr std::uint32_t kCoreHeader = 12;
constexpr std::uint32_t kInfoHeader = 40;

bool sniff_bmp(Bytes bytes) {
  constexpr std::array<std::uint32_t, 7> kHeaderSizes{kCoreHeader, kInfoHeader, 52, 56, 64, 108, 124};
  return has_at(bytes, 0, "BM"sv) && std::ranges::find(kHeaderSizes, u32(bytes, kFileHeader)) != kHeaderSizes.end();
}

// Where the channels of a pixel are when the file does not say.
std::array<std::uint32_t, 4> usual_masks(std::uint32_t bits) {
  if (bits == 16) return {0x7C00, 0x3E0, 0x1F, 0};
  return {0xFF0000, 0xFF00, 0xFF, 0};
}

Result<void> check(const BmpHeader& header) {
  const auto& [width, height, top_down, bits, compression, masks, colours, colour_bytes, pixels] = header;
  constexpr std::array<std::uint32_t, 6> kBits{1, 4, 8, 16, 24, 32};
  const bool fits = compression == kRgb || (compression == kRle8 && bits == 8) || (compression == kRle4 && bits == 4) ||
                    ((compression == kBitFields || compression == kAlphaBitFields) && (bits == 16 || bits == 32));
  if (!fits || std::ranges::find(kBits, bits) == kBits.end()) {
    return fail(Error::Kind::kUnsupported, "{} bits a pixel with compression {}", bits, compression);
  }
  if (width <= 0 || height <= 0 || width > INT32_MAX || height > INT32_MAX) {
    return fail(Error::Kind::kFormat, "{}x{} pixels, expected at least 1x1", width, height);
  }
  // Without compression the size is known. A run of 255 pixels takes two bytes, and so does a jump over as many rows.
  const std::uint64_t least = compression == kRle8 || compression == kRle4
                                  ? static_cast<std::uint64_t>(height) / 255
                                  : header.row_bytes() * static_cast<std::uint64_t>(height);
  if (pixels.size() < least)
    return fail(Error::Kind::kFormat, "truncated: {} bytes of pixels, expected {}", pixels.size(), least);
  return {};
}

Result<BmpHeader> parse(Bytes bytes) {
  BmpHeader header;
  const std::uint32_t size = u32(bytes, kFileHeader);
  if (bytes.size() < kFileHeader + size) return fail(Error::Kind::kFormat, "truncated: the header ends too early");
  std::size_t colours_at = kFileHeader + size;
  std::size_t colours = 0;
  if (size == kCoreHeader) {
    header.width = u16(bytes, 18);
    header.height = u16(bytes, 20);
    header.bits = u16(bytes, 24);
    header.colour_bytes = 3;
  } else {
    header.width = static_cast<std::int32_t>(u32(bytes, 18));
    const std::int64_t height = static_cast<std::int32_t>(u32(bytes, 22));
    header.top_down = height < 0;
    header.height = header.top_down ? -height : height;
    header.bits = u16(bytes, 28);
    header.compression = u32(bytes, 30);
    colours = u32(bytes, 46);
  }
  header.masks = usual_masks(header.bits);
  if (header.compression == kBitFields || header.compression == kAlphaBitFields) {
    // After a plain header, part of a longer one: the same place.
    const std::size_t count = size >= 56 || header.compression == kAlphaBitFields ? 4 : 3;
    for (std::size_t i = 0; i < count; ++i) header.masks[i] = u32(bytes, kFileHeader + kInfoHeader + 4 * i);
    if (size == kInfoHeader) colours_at += 4 * count;
  }
  const std::size_t start = u32(bytes, 10);
  if (start < colours_at || start > bytes.size())
    return fail(Error::Kind::kFormat, "pixels at byte {} of {}", start, bytes.size());
  if (header.bits <= 8) {
    const std::size_t most = std::size_t{1} << header.bits;
    const std::size_t count = std::min({colours == 0 ? most : colours, most, (start - colours_at) / header.colour_bytes});
    header.colours = bytes.subspan(colours_at, count * header.colour_bytes);
  }
  header.pixels = bytes.subspan(start);
  FOVEA_TRY(check(header));
  return header;
}

// One row of indices, most significant bits first, to one byte each.
void unpack(Bytes row, std::uint32_t bits, std::vector<std::uint8_t>& indices) {
  const std::uint32_t per_byte = 8 / bits;
  for (std::size_t x = 0; x < indices.size(); ++x) {
    const auto byte = std::to_integer<std::uint32_t>(row[x / per_byte]);
    indices[x] = static_cast<std::uint8_t>(byte >> (8 - bits * (1 + x % per_byte)) & ((1U << bits) - 1));
  }
}

// Writes colours of indices; those outside of the table are black.
void paint(const BmpHeader& header, const std::vector<std::uint8_t>& indices, std::uint8_t* out) {
  for (const std::uint8_t index : indices) {
    const std::size_t at = index * header.colour_bytes;
    for (std::size_t i = 0; i < 3; ++i) {
      *out++ = at + 2 < header.colours.size() ? std::to_integer<std::uint8_t>(header.colours[at + 2 - i]) : std::uint8_t{0};
    }
  }
}

// The bits under `mask` scaled to 8, rounded.
std::uint8_t channel(std::uint32_t pixel, std::uint32_t mask) {
  const std::uint64_t most = mask >> std::countr_zero(mask);
  const std::uint64_t value = (pixel & mask) >> std::countr_zero(mask);
  return static_cast<std::uint8_t>((value * 255 + most / 2) / most);
}

void unpack_masked(const BmpHeader& header, Bytes row, int channels, std::uint8_t* out) {
  const std::size_t size = header.bits / 8;
  for (std::size_t x = 0; x < static_cast<std::size_t>(header.width); ++x) {
    const std::uint32_t pixel = read_uint(row, x * size, size, ByteOrder::kLittle);
    for (std::size_t i = 0; i < static_cast<std::size_t>(channels); ++i) {
      *out++ = header.masks[i] == 0 ? std::uint8_t{0} : channel(pixel, header.masks[i]);
    }
  }
}

// Run-length codes to one index a pixel, bottom row first; pixels that are jumped over stay 0.
Result<std::vector<std::uint8_t>> expand_runs(const BmpHeader& header) {
  const auto width = static_cast<std::size_t>(header.width);
  std::vector<std::uint8_t> indices(width * static_cast<std::size_t>(header.height));
  const bool four = header.compression == kRle4;
  std::size_t x = 0;
  std::size_t y = 0;
  const auto put = [&](std::uint32_t index) {
    if (x < width && y < static_cast<std::size_t>(header.height)) indices[y * width + x++] = static_cast<std::uint8_t>(index);
  };
  for (std::size_t at = 0; at + 2 <= header.pixels.size(); at += 2) {
    const auto count = std::to_integer<std::uint32_t>(header.pixels[at]);
    const auto code = std::to_integer<std::uint32_t>(header.pixels[at + 1]);
    if (count > 0) {
      for (std::uint32_t i = 0; i < count; ++i) put(!four ? code : (i % 2 == 0 ? code >> 4U : code & 15U));
    } else if (code == 0) {  // end of the row
      x = 0;
      ++y;
    } else if (code == 1) {  // end of the picture
      return indices;
    } else if (code == 2) {  // jump
      x += read_uint(header.pixels, at + 2, 1, ByteOrder::kLittle);
      y += read_uint(header.pixels, at + 3, 1, ByteOrder::kLittle);
      at += 2;
    } else {  // `code` literal pixels, padded to 16 bits
      for (std::uint32_t i = 0; i < code; ++i) {
        const std::uint32_t byte = read_uint(header.pixels, at + 2 + (four ? i / 2 : i), 1, ByteOrder::kLittle);
        put(!four ? byte : (i % 2 == 0 ? byte >> 4U : byte & 15U));
      }
      at += ((four ? (code + 1) / 2 : code) + 1) / 2 * 2;
    }
  }
  return fail(Error::Kind::kFormat, "truncated: the runs stop before their end code");
}

Result<Header> read_bmp_header(Bytes bytes) {
  FOVEA_ASSIGN(const BmpHeader header, parse(bytes));
  return Header{static_cast<int>(header.width), static_cast<int>(header.height), 1};
}

Result<Raster> decode_bmp(Bytes bytes, const Header& /*header*/, int /*shorter_side_wanted*/) {
  FOVEA_ASSIGN(const BmpHeader header, parse(bytes));
  const bool runs = header.compression == kRle8 || header.compression == kRle4;
  const int channels = header.bits > 8 && header.masks[3] != 0 ? 4 : 3;
  std::vector<std::uint8_t> expanded;
  if (runs) {
    FOVEA_ASSIGN(expanded, expand_runs(header));
  }
  Raster raster(static_cast<int>(header.width), static_cast<int>(header.height), channels, 8);
  std::vector<std::uint8_t> indices(static_cast<std::size_t>(header.width));
  for (int stored = 0; stored < raster.height; ++stored) {
    std::uint8_t* out = raster.row(header.top_down ? stored : raster.height - 1 - stored);
    const auto row_at = static_cast<std::size_t>(stored);
    if (runs) {
      std::copy_n(expanded.begin() + static_cast<std::ptrdiff_t>(row_at * indices.size()), indices.size(), indices.begin());
      paint(header, indices, out);
      continue;
    }
    const Bytes row = header.pixels.subspan(row_at * header.row_bytes(), header.row_bytes());
    if (header.bits > 8) {
      unpack_masked(header, row, channels, out);
    } else {
      unpack(row, header.bits, indices);
      paint(header, indices, out);
    }
  }
  return raster;
}

}  // namespace

const Loader kBmpLoader{ImageFormat::kBmp, "BMP", sniff_bmp, read_bmp_header, decode_bmp};

}  // namespace fovea
