// Fovea: the list of further pictures behind a JPEG's own (CIPA DC-007, Multi-Picture Format): previews, depth and gain maps.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

#include "core/file.h"
#include "fovea/result.h"
#include "metadata/splice.h"

namespace fovea::metadata {

/// What keeps the list right when the first picture's metadata grow by `grown` bytes. `base`: where in the file the structure
/// `mpf` lies, from which its offsets count. `behind`: how many of those bytes come between the list and the further
/// pictures; with the others both move alike, and only the stated size of the first picture changes. kFormat for a list that
/// cannot be read, or whose pictures lie outside of the file.
Result<Splices> move_mpf(Bytes file, std::size_t base, Bytes mpf, std::ptrdiff_t grown, std::ptrdiff_t behind);

}  // namespace fovea::metadata
