// SPDX-License-Identifier: Apache-2.0
#include "core/file_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "core/error.h"

namespace fovea {
namespace {

namespace fs = std::filesystem;

// Whether the open file is still the one of this name: whoever held its lock before may have deleted it.
bool has_name(int descriptor, const fs::path& file) {
  struct stat open {};
  struct stat named {};
  return ::fstat(descriptor, &open) == 0 && ::lstat(file.c_str(), &named) == 0 && open.st_dev == named.st_dev &&
         open.st_ino == named.st_ino;
}

}  // namespace

Locked lock_exclusively(int descriptor) {
  if (::flock(descriptor, LOCK_EX | LOCK_NB) == 0) return Locked::kYes;
  return errno == EWOULDBLOCK ? Locked::kBusy : Locked::kUnknown;
}

FileLock::FileLock(int descriptor, fs::path remove)
    : descriptor_(descriptor), locked_(lock_exclusively(descriptor)), remove_(std::move(remove)) {}

FileLock FileLock::of_folder(const fs::path& folder) { return {::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC), {}}; }

Result<FileLock> FileLock::of_file(const fs::path& file, InTheEnd end) {
  while (true) {
    // For writing: NFS locks nothing else. Another user's, left by a killed program, may be open to reading alone.
    int descriptor = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
    if (descriptor < 0 && errno == EACCES) descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (descriptor < 0) return fail(Error::Kind::kIo, "{}: cannot open: {}", file.string(), errno_text(errno));
    FileLock lock(descriptor, end == InTheEnd::kRemove ? file : fs::path());
    if (lock.locked_ != Locked::kYes || has_name(descriptor, file)) return lock;
  }
}

Result<FileLock> FileLock::beside(const fs::path& file) {
  std::error_code code;
  const fs::path target = fs::weakly_canonical(file, code);
  const fs::path& named = code ? file : target;
  return of_file(named.parent_path() / fmt::format(".{}.lock", named.filename().string()), InTheEnd::kRemove);
}

FileLock::FileLock(FileLock&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)), locked_(other.locked_), remove_(std::move(other.remove_)) {}

FileLock& FileLock::operator=(FileLock&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  std::swap(locked_, other.locked_);
  std::swap(remove_, other.remove_);
  return *this;
}

FileLock::~FileLock() {
  if (descriptor_ < 0) return;
  if (locked_ == Locked::kYes && !remove_.empty() && has_name(descriptor_, remove_)) ::unlink(remove_.c_str());
  ::close(descriptor_);
}

}  // namespace fovea
