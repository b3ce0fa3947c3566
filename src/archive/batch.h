// Fovea: changes that go together: the journal learns of all of them in one transaction, before the first file is touched, and of
// what became of them in another. A transaction costs several flushes of the disk.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <vector>

#include "archive/catalog.h"
#include "archive/change.h"
#include "core/context.h"
#include "core/error.h"
#include "fovea/named_folders.h"

namespace fovea::archive {

/// Files that are rewritten lie in memory, old and new: as many at a time as stay within both.
inline constexpr std::size_t kBatchFiles = 32;
inline constexpr std::int64_t kBatchBytes = std::int64_t{48} << 20U;

/// How many of the first of `count` files, of `size_of(i)` bytes each, make one batch: at least one.
template <class SizeOf>
[[nodiscard]] std::size_t batch_length(std::size_t count, const SizeOf& size_of) {
  std::size_t length = 0;
  for (std::int64_t bytes = 0; length < std::min(count, kBatchFiles) && bytes < kBatchBytes; ++length) bytes += size_of(length);
  return length;
}

/// What is to become of the files of one photo, and how far it came.
struct PhotoChanges {
  std::vector<Change> changes;
  std::size_t carried_out = 0;  ///< so many of them
  std::optional<Error> error;   ///< set before: nothing is to be done
};

/// Carries out the changes of every photo in their order, up to the first that fails; the photos on context.threads threads.
/// After a failure `folders` looks whether all of them have gone away: then nothing more is tried. Fails where the catalogue
/// cannot be written, before any file is touched.
Result<void> carry_out_all(const Context& context, Catalog& catalog, NamedFolders& folders,
                           std::span<PhotoChanges* const> photos);

/// kIo where one of them lies on a file system that is mounted for reading alone: there every photo would fail, one after
/// another.
[[nodiscard]] Result<void> check_writable(std::span<const std::filesystem::path> paths);

/// The one line for a run whose folders are lost before it came to `left`, such as "7 photos".
[[nodiscard]] Error stopped_before(const NamedFolders& folders, std::string_view left);

/// Within a transaction: the journal learns what became of them.
Result<void> record(Journal& journal, const NamedFolders& folders, const PhotoChanges& photo);

}  // namespace fovea::archive
