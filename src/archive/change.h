// Fovea: what becomes of one file when a photo is tagged or untagged: planned first, then carried out.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <vector>

#include "archive/file_stamp.h"
#include "archive/journal.h"
#include "fovea/result.h"
#include "metadata/xmp.h"

namespace fovea::archive {

/// What a file is to say.
struct Wanted {
  metadata::Keywords keywords;
  metadata::Keywords carried;
  metadata::TagRecord record;
};

enum class FileKind : std::uint8_t { kPhoto, kSidecar };

struct Change {
  FileKind kind = FileKind::kSidecar;
  std::optional<FileStamp> stamp;  ///< of what was found; nothing: no file
  std::vector<std::byte> found;
  std::optional<std::vector<std::byte>> content;  ///< nothing: the file goes
  Edit edit;
  /// What was found was neither written by Fovea nor free of its keywords: others have changed it since.
  bool changed_since = false;
  /// The bytes are right already, but the journal does not know this file: a photo that was moved or copied.
  bool adopted = false;
};

/// Everything is planned from the file's original bytes: those that the journal leads back to, or, where others have
/// changed the file since, what is there without Fovea's keywords. `wanted` null: the original itself. `expected`: the photo that
/// the answer is about; kIo if the file has changed since. Nothing to do: no change. Reads, writes nothing.
Result<std::optional<Change>> plan_change(Journal& journal, FileKind kind, const std::filesystem::path& file,
                                          const std::filesystem::path& photo, const Wanted* wanted,
                                          const std::optional<FileStamp>& expected = {});

/// Does it, once the journal knows of it. A photo's pixels are decoded from the old bytes and from those that were read back from
/// the disk, and compared. The stamp of the new file; nothing if it went.
Result<std::optional<FileStamp>> carry_out(const Change& change);

/// The sidecar that is, or is to be, `photo`'s: "a.jpg.xmp"; "a.xmp" where that alone is there and no other photo can mean it.
[[nodiscard]] std::filesystem::path sidecar_of(const std::filesystem::path& photo);

/// Why this photo's own file should not be replaced; nothing to say if it may.
Result<void> may_embed(const std::filesystem::path& photo);

}  // namespace fovea::archive
