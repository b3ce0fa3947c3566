// Fovea: the folders that a run was given, to tell a photo that is gone from a drive, or share, that is.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <atomic>
#include <filesystem>
#include <mutex>
#include <string>
#include <vector>

namespace fovea::archive {

class NamedFolders {
 public:
  /// Paths of files are no matter of this.
  explicit NamedFolders(const std::vector<std::filesystem::path>& paths);

  /// After a photo could not be read or written: looks at the folders again. True once one of them is lost: gone, unreadable, or
  /// another one than at the beginning, such as the empty folder on which a drive was mounted. From any thread.
  bool look();
  [[nodiscard]] bool lost() const { return lost_; }
  /// Which, and why; once lost() is true.
  [[nodiscard]] std::string why() const;

 private:
  struct Folder {
    std::filesystem::path path;
    dev_t device = 0;
    ino_t inode = 0;
  };
  std::vector<Folder> folders_;
  std::atomic<bool> lost_ = false;
  mutable std::mutex mutex_;
  std::string why_;
};

}  // namespace fovea::archive
