// Fovea: photos that bear Fovea's keywords though the catalogue knows of no change there: moved ones, and another catalogue's.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <vector>

#include "archive/catalog.h"
#include "core/context.h"
#include "fovea/archive.h"
#include "fovea/result.h"

namespace fovea::archive {

/// Marked photos, and marked sidecars of photos, at `paths` and below them, as edits of which only file and photo are set. Left
/// out are those of `known`, and photos that have not changed since the catalogue learned of them without a mark. Every other one
/// is read, on all threads, and told as progress; one that cannot be read counts as unmarked. kNotFound for a path that is not
/// there.
Result<std::vector<Edit>> find_marked(const Context& context, const std::vector<std::filesystem::path>& paths, Catalog& catalog,
                                      const std::vector<Edit>& known, ArchiveObserver& observer);

}  // namespace fovea::archive
