// SPDX-License-Identifier: Apache-2.0
#include "image/heif_library.h"

#include "core/error.h"
#include "core/shared_library.h"

namespace fovea {
namespace {

constexpr const char* kFile = "libheif.so.1";

Result<HeifLibrary> open() {
  HeifLibrary made;
  FOVEA_ASSIGN(const SharedLibrary library, SharedLibrary::open(kFile));
  FunctionFinder find(library);
#define FOVEA_HEIF_FIND(name) find(made.name, "heif_" #name);
  FOVEA_HEIF_FUNCTIONS(FOVEA_HEIF_FIND)
#undef FOVEA_HEIF_FIND
  FOVEA_TRY(find.found_all("libheif 1.15 has"));
  return made;
}

}  // namespace

Result<const HeifLibrary*> heif_library() {
  static const Result<HeifLibrary> opened = open();
  if (opened) return &*opened;
  return fail(Error::Kind::kUnsupported, "needs libheif 1.15 or later ({}); install libheif1 or convert to JPEG",
              opened.error().message);
}

}  // namespace fovea
