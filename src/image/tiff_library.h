// Fovea: libtiff, opened when the first TIFF picture comes: it brings five libraries of codecs into every start.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <tiffio.h>

#include "fovea/result.h"

namespace fovea {

/// The functions that are used, without their prefix `TIFF`.
#define FOVEA_TIFF_FUNCTIONS(X)       \
  X(OpenOptionsAlloc)                 \
  X(OpenOptionsFree)                  \
  X(OpenOptionsSetMaxSingleMemAlloc)  \
  X(OpenOptionsSetErrorHandlerExtR)   \
  X(OpenOptionsSetWarningHandlerExtR) \
  X(ClientOpenExt)                    \
  X(Close)                            \
  X(GetFieldDefaulted)                \
  X(IsTiled)                          \
  X(ComputeTile)                      \
  X(ComputeStrip)                     \
  X(ReadEncodedTile)                  \
  X(ReadEncodedStrip)                 \
  X(RGBAImageOK)                      \
  X(ReadRGBAImageOriented)

/// Each of them under its short name.
struct TiffLibrary {
#define FOVEA_TIFF_MEMBER(name) decltype(&TIFF##name) name = nullptr;
  FOVEA_TIFF_FUNCTIONS(FOVEA_TIFF_MEMBER)  // NOLINT(readability-identifier-naming): libtiff's names
#undef FOVEA_TIFF_MEMBER
};

/// Opened once per process, safe with threads. kUnsupported, with what to install, when it is not there.
Result<const TiffLibrary*> tiff_library();

}  // namespace fovea
