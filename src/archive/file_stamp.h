// Fovea: which file it is and whether anybody has changed it, without reading it.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <vector>

#include "core/file.h"
#include "fovea/result.h"

namespace fovea::archive {

struct FileStamp {
  std::uint64_t inode = 0;
  std::int64_t size = 0;
  std::int64_t modified_ns = 0;  ///< since 1970
  friend bool operator==(const FileStamp&, const FileStamp&) = default;
};

/// Of a regular file, links not followed; nothing if there is none.
[[nodiscard]] std::optional<FileStamp> stamp_of(const std::filesystem::path& path);

struct StampedBytes {
  std::vector<std::byte> bytes;
  FileStamp stamp;
};

/// Longer files are neither photos nor sidecars that Fovea handles.
inline constexpr std::size_t kMostFileBytes = std::size_t{512} << 20U;

/// A whole file with the stamp that belongs to these bytes, read again where it changed meanwhile; kIo when it goes on changing.
Result<StampedBytes> read_stamped(const std::filesystem::path& path);

}  // namespace fovea::archive
