// Fovea: what each picture format must provide; decode.cpp holds the table of them.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/file.h"
#include "fovea/result.h"
#include "image/decode.h"
#include "image/raster.h"

namespace fovea {

/// A picture as stored: before orientation.
struct Header {
  int width = 0;
  int height = 0;
  int orientation = 1;  ///< Exif, 1 to 8; 1 where the library turns the picture itself
};

/// One format. The functions get untrusted bytes; none prints, keeps state or allocates by an unchecked size.
struct Loader {
  ImageFormat format;
  std::string_view name;
  bool (*sniff)(Bytes bytes);
  Result<Header> (*read_header)(Bytes bytes);
  /// Called only when the size in `header` has passed the limits; gives that size, unless the format can
  /// decode smaller and `shorter_side_wanted` is positive: then at least that many pixels on the shorter side.
  Result<Raster> (*decode)(Bytes bytes, const Header& header, int shorter_side_wanted);
};

/// What is unusual about a JPEG whose header has been read; empty: nothing.
Result<std::string> oddity_of_jpeg(Bytes bytes);

extern const Loader kJpegLoader;
extern const Loader kPngLoader;
extern const Loader kWebpLoader;
extern const Loader kGifLoader;
extern const Loader kTiffLoader;
extern const Loader kBmpLoader;
extern const Loader kHeifLoader;
extern const Loader kAvifLoader;
extern const Loader kRawLoader;

}  // namespace fovea
