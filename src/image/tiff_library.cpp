// SPDX-License-Identifier: Apache-2.0
#include "image/tiff_library.h"

#include "core/error.h"
#include "core/shared_library.h"

namespace fovea {
namespace {

constexpr const char* kFile = "libtiff.so.6";

Result<TiffLibrary> open() {
  TiffLibrary made;
  FOVEA_ASSIGN(const SharedLibrary library, SharedLibrary::open(kFile));
  FunctionFinder find(library);
#define FOVEA_TIFF_FIND(name) find(made.name, "TIFF" #name);
  FOVEA_TIFF_FUNCTIONS(FOVEA_TIFF_FIND)
#undef FOVEA_TIFF_FIND
  FOVEA_TRY(find.found_all("libtiff 4.5 has"));
  return made;
}

}  // namespace

Result<const TiffLibrary*> tiff_library() {
  static const Result<TiffLibrary> opened = open();
  if (opened) return &*opened;
  return fail(Error::Kind::kUnsupported, "needs libtiff 4.5 or later ({}); install libtiff6 or convert to JPEG",
              opened.error().message);
}

}  // namespace fovea
