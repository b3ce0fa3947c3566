// SPDX-License-Identifier: Apache-2.0
#include "image/heif_library.h"

#include "core/error.h"

namespace fovea {

Result<const HeifLibrary*> heif_library() {
  static const auto opened = open_functions<HeifLibrary>("libheif.so.1", "libheif 1.15 has");
  if (opened) return &*opened;
  return fail(Error::Kind::kUnsupported, "needs libheif 1.15 or later ({}); install libheif1 or convert to JPEG",
              opened.error().message);
}

}  // namespace fovea
