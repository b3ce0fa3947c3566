// Fovea: a file replaced without any moment at which it is neither its old self nor its complete new one.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <optional>

#include "archive/file_stamp.h"
#include "core/file.h"
#include "fovea/result.h"

namespace fovea::archive {

/// The name under which replace_file() prepares the new file, in the same folder; hidden, so that no walk takes it for a photo.
[[nodiscard]] std::filesystem::path temporary_name(const std::filesystem::path& path);

/// Says of bytes that were read back from the disk whether they may take the file's place.
using Verify = std::function<Result<void>(Bytes written)>;

/// Writes `content` under the temporary name, flushes it, reads it back, has it compared and verified, gives it the old
/// file's owner, mode, times, extended attributes and access lists, and renames it over `path`, all provided that the
/// file there still is `expected` (nothing: that there is none). The stamp of the new file. kIo where any of it cannot be done;
/// then the old file is as it was and the temporary one is gone.
Result<FileStamp> replace_file(const std::filesystem::path& path, const std::optional<FileStamp>& expected, Bytes content,
                               const Verify& verify);

/// Deletes a file that still is `expected`.
Result<void> remove_file(const std::filesystem::path& path, const FileStamp& expected);

}  // namespace fovea::archive
