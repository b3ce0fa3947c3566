// SPDX-License-Identifier: Apache-2.0
#include "archive/file_stamp.h"

#include <sys/stat.h>

#include "core/error.h"

namespace fovea::archive {

std::optional<FileStamp> stamp_of(const std::filesystem::path& path) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return std::nullopt;
  constexpr std::int64_t kNanoseconds = 1'000'000'000;
  return FileStamp{status.st_ino, status.st_size, status.st_mtim.tv_sec * kNanoseconds + status.st_mtim.tv_nsec};
}

Result<StampedBytes> read_stamped(const std::filesystem::path& path) {
  // On a share, what is told of a file may be older than the file until it is opened: then the second look is the true one.
  constexpr int kLooks = 3;
  for (int look = 0; look < kLooks; ++look) {
    const auto before = stamp_of(path);
    if (!before) return fail(Error::Kind::kNotFound, "{}: not there, or not a regular file", path.string());
    FOVEA_ASSIGN(auto bytes, read_file(path, kMostFileBytes));
    if (stamp_of(path) == before && static_cast<std::int64_t>(bytes.size()) == before->size)
      return StampedBytes{std::move(bytes), *before};
  }
  return fail(Error::Kind::kIo, "{}: changed by another program while it was read; left alone", path.string());
}

}  // namespace fovea::archive
