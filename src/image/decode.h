// Fovea: photo bytes to upright 8-bit RGB. One decoder for training, validation and use.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>

#include "core/file.h"
#include "fovea/result.h"
#include "image/image.h"

namespace fovea {

enum class ImageFormat : std::uint8_t { kJpeg, kPng, kWebp, kGif, kTiff, kBmp, kHeif, kAvif, kRaw };

/// "JPEG", "PNG", ...
[[nodiscard]] std::string_view name_of(ImageFormat format);

/// Which format the first bytes claim, never by file name; kFormat when none is known.
Result<ImageFormat> sniff(Bytes bytes);

struct DecodeOptions {
  /// Refuse larger pictures before any pixel memory is allocated (kLimit).
  std::int64_t max_pixels = 256'000'000;
  /// Refuse longer files (kLimit).
  std::size_t max_bytes = std::size_t{512} << 20;
  /// If positive, a JPEG may be decoded at 1/2, 1/4 or 1/8 of its size as long as its shorter side keeps at least
  /// `headroom` times this many pixels: the saving that training on small inputs lives from.
  int shorter_side_needed = 0;
};

/// Shorter side after a scaled decode, over the shorter side needed. Against decoding whole, real photos fitted to 224x224 then
/// differ by 0.3 of 255 levels on average, no photo by more than 1.1, single samples by up to 39; a headroom of 1.5 would
/// let single photos differ by 3.7. Tested in tests/image/scaled_decode_test.cpp.
inline constexpr int kScaledDecodeHeadroom = 2;

struct ImageInfo {
  ImageFormat format = ImageFormat::kJpeg;
  int width = 0;  ///< upright: after orientation
  int height = 0;
  int orientation = 1;  ///< Exif, 1 to 8
};

/// Format, size and orientation from the header alone.
Result<ImageInfo> read_image_info(Bytes bytes, const DecodeOptions& options = {});

/// As they are stored, before orientation.
struct StoredJpeg {
  int width = 0;
  int height = 0;
  int orientation = 1;
};
/// Of a JPEG such as cameras write, which other decoders take too: Huffman-coded, 8 bits, grey or YCbCr, with an end.
/// kUnsupported, and why, for all other pictures; other errors and limits are those of decode_image.
Result<StoredJpeg> read_stored_jpeg(Bytes bytes, const DecodeOptions& options = {});

/// First frame, all eight Exif orientations applied, alpha laid over white, 16-bit scaled, grey repeated, CMYK converted.
/// A truncated or corrupt picture is an error (kFormat), not grey pixels.
Result<Image> decode_image(Bytes bytes, const DecodeOptions& options = {});

/// The same for a file; its path begins the message of every error.
Result<Image> load_image(const std::filesystem::path& path, const DecodeOptions& options = {});

}  // namespace fovea
