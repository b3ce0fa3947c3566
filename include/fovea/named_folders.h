// Fovea: the folders that photos are read from, to tell a photo that is gone, or damaged, from a drive, or share, that is gone.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "fovea/result.h"

namespace fovea {

/// Everything may be called from any thread.
class NamedFolders {
 public:
  /// Paths of files are no matter of this.
  explicit NamedFolders(std::span<const std::filesystem::path> paths);

  /// `photo` was read (or written), or could not be: then the folders are looked at again. One is lost once it is gone or
  /// unreadable, or on another file system without the photo: the empty folder on which a drive was mounted. So it is after 8
  /// photos one after another whose bytes cannot be had although their names can: a drive that fails, a share without its server.
  void tell(const std::filesystem::path& photo, bool read);
  [[nodiscard]] bool lost() const { return lost_.load(std::memory_order_relaxed); }
  /// Which, and why; once lost() is true.
  [[nodiscard]] std::string why() const;
  /// The one line for a run that ends so: `and_now` says what is left and how to go on, as ": the same command goes on ...".
  [[nodiscard]] Error stopped(std::string_view and_now) const;

 private:
  struct Folder {
    std::filesystem::path path;
    std::uint64_t device = 0;  ///< the inode would say more, but shares may number their folders anew
  };
  void look(const std::filesystem::path& photo);

  std::vector<Folder> folders_;
  std::atomic<bool> lost_ = false;
  std::atomic<int> in_a_row_ = 0;  ///< photos whose bytes could not be had
  mutable std::mutex mutex_;
  std::string why_;
};

}  // namespace fovea
