// Fovea: exclusive locks of files and folders: one holder at a time, and none once the process has ended, however it ended.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>

#include "fovea/result.h"

namespace fovea {

/// What came of trying to lock.
enum class Locked : std::uint8_t {
  kYes,
  kBusy,     ///< somebody else holds it
  kUnknown,  ///< the file system knows no locks, or none of what was opened so
};

/// Tries to lock an open file or folder, and waits for nobody. The lock lasts until the descriptor is closed.
[[nodiscard]] Locked lock_exclusively(int descriptor);

/// A file or folder that is held open for its lock's sake.
class FileLock {
 public:
  enum class InTheEnd : std::uint8_t { kLeave, kRemove };

  FileLock() = default;  ///< of nothing
  /// Of a folder; where it cannot be opened the answer is kUnknown.
  static FileLock of_folder(const std::filesystem::path& folder);
  /// Of a file, made where there is none; kIo where it cannot be made. kRemove: whoever has locked it deletes it when it lets go.
  static Result<FileLock> of_file(const std::filesystem::path& file, InTheEnd end);
  /// For all who would write `file` as a whole: of a hidden file beside what the name leads to, which is gone in the end.
  static Result<FileLock> beside(const std::filesystem::path& file);
  FileLock(FileLock&& other) noexcept;
  FileLock& operator=(FileLock&& other) noexcept;
  ~FileLock();

  [[nodiscard]] Locked locked() const { return locked_; }

 private:
  FileLock(int descriptor, std::filesystem::path remove);

  int descriptor_ = -1;
  Locked locked_ = Locked::kUnknown;
  std::filesystem::path remove_;  ///< in the end; empty: nothing
};

}  // namespace fovea
