// SPDX-License-Identifier: Apache-2.0
#include "archive/named_folders.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>

#include "core/error.h"

namespace fovea::archive {

NamedFolders::NamedFolders(const std::vector<std::filesystem::path>& paths) {
  for (const std::filesystem::path& path : paths) {
    struct stat status {};
    if (::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode)) folders_.push_back({path, status.st_dev});
  }
}

void NamedFolders::look(const std::filesystem::path& photo) {
  const std::lock_guard lock(mutex_);
  for (const Folder& folder : folders_) {
    if (lost_) return;
    struct stat status {};
    if (::stat(folder.path.c_str(), &status) != 0) {
      why_ = fmt::format("{}: {}", folder.path.string(), errno_text(errno));
      lost_ = true;
    } else if (status.st_dev != folder.device && ::lstat(photo.c_str(), &status) != 0) {
      why_ = fmt::format("{}: on another file system now", folder.path.string());
      lost_ = true;
    }
  }
}

std::string NamedFolders::why() const {
  const std::lock_guard lock(mutex_);
  return why_;
}

Error NamedFolders::stopped(std::string_view left) const {
  return fail(Error::Kind::kIo, "{}; stopped, {} left alone: the same command goes on when it is there again", why(), left);
}

}  // namespace fovea::archive
