// Fovea: libtiff, opened when the first TIFF picture comes: it brings five libraries of codecs into every start.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <tiffio.h>

#include "core/shared_library.h"

namespace fovea {

/// The functions that are used.
#define FOVEA_TIFF_FUNCTIONS(X)             \
  X(TIFF, OpenOptionsAlloc)                 \
  X(TIFF, OpenOptionsFree)                  \
  X(TIFF, OpenOptionsSetMaxSingleMemAlloc)  \
  X(TIFF, OpenOptionsSetErrorHandlerExtR)   \
  X(TIFF, OpenOptionsSetWarningHandlerExtR) \
  X(TIFF, ClientOpenExt)                    \
  X(TIFF, Close)                            \
  X(TIFF, GetFieldDefaulted)                \
  X(TIFF, IsTiled)                          \
  X(TIFF, ComputeTile)                      \
  X(TIFF, ComputeStrip)                     \
  X(TIFF, ReadEncodedTile)                  \
  X(TIFF, ReadEncodedStrip)                 \
  X(TIFF, RGBAImageOK)                      \
  X(TIFF, ReadRGBAImageOriented)

struct TiffLibrary {
  FOVEA_LIBRARY_FUNCTIONS(FOVEA_TIFF_FUNCTIONS)  // NOLINT(readability-identifier-naming): libtiff's names
  static constexpr const char* kFile = "libtiff.so.6";
  static constexpr const char* kOldest = "libtiff 4.5";
  static constexpr const char* kPackage = "libtiff6";
};

}  // namespace fovea
