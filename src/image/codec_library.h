// Fovea: libraries of picture formats, opened when the first such picture comes, so that no start waits for them.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include "core/error.h"
#include "core/shared_library.h"
#include "fovea/result.h"

namespace fovea {

/// `Library` holds FOVEA_LIBRARY_FUNCTIONS, and names its file (kFile), its oldest version that has them all (kOldest) and
/// Debian's package (kPackage). Opened once per process, safe with threads. kUnsupported, with what to install, when it is not
/// there.
template <class Library>
Result<const Library*> codec_library() {
  static const auto opened = open_functions<Library>(Library::kFile, fmt::format("{} has", Library::kOldest));
  if (opened) return &*opened;
  return fail(Error::Kind::kUnsupported, "needs {} or later ({}); install {} or convert to JPEG", Library::kOldest,
              opened.error().message, Library::kPackage);
}

}  // namespace fovea
