// Fovea: the folders that a run was given, to tell a photo that is gone from a drive, or share, that is.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <atomic>
#include <filesystem>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "fovea/result.h"

namespace fovea::archive {

class NamedFolders {
 public:
  /// Paths of files are no matter of this.
  explicit NamedFolders(const std::vector<std::filesystem::path>& paths);

  /// After `photo` could not be read or written: looks at the folders again. One is lost once it is gone or unreadable, or on
  /// another file system without the photo: the empty folder on which a drive was mounted. From any thread.
  void look(const std::filesystem::path& photo);
  [[nodiscard]] bool lost() const { return lost_; }
  /// Which, and why; once lost() is true.
  [[nodiscard]] std::string why() const;
  /// The one line for a run that ends so: `left`, such as "7 photos", were not reached.
  [[nodiscard]] Error stopped(std::string_view left) const;

 private:
  struct Folder {
    std::filesystem::path path;
    dev_t device = 0;  ///< the inode would say more, but shares may number their folders anew
  };
  std::vector<Folder> folders_;
  std::atomic<bool> lost_ = false;
  mutable std::mutex mutex_;
  std::string why_;
};

}  // namespace fovea::archive
