// SPDX-License-Identifier: Apache-2.0
#include "image/tiff_library.h"

#include "core/error.h"

namespace fovea {

Result<const TiffLibrary*> tiff_library() {
  static const auto opened = open_functions<TiffLibrary>("libtiff.so.6", "libtiff 4.5 has");
  if (opened) return &*opened;
  return fail(Error::Kind::kUnsupported, "needs libtiff 4.5 or later ({}); install libtiff6 or convert to JPEG",
              opened.error().message);
}

}  // namespace fovea
