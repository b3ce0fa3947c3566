// SPDX-License-Identifier: Apache-2.0
#include "archive/replace.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "core/error.h"
#include "core/file_lock.h"

namespace fovea::archive {
namespace {

namespace fs = std::filesystem;

Error system_error(const fs::path& path, std::string_view action, int code) {
  return fail(Error::Kind::kIo, "{}: cannot {}: {}; left as it is", path.string(), action, errno_text(code));
}

// The new file until it is in place: open, and removed on every way out but the last.
class Draft {
 public:
  explicit Draft(const fs::path& path) : path_(path), name_(temporary_name(path)) {}
  Draft(const Draft&) = delete;
  Draft& operator=(const Draft&) = delete;
  ~Draft() {
    if (descriptor_ < 0) return;
    ::close(descriptor_);
    if (!kept_) ::unlink(name_.c_str());
  }

  Result<void> create(mode_t mode) {
    descriptor_ = make(mode);
    if (descriptor_ < 0 && errno == EEXIST && remove_abandoned()) {
      // A share may hold on to a name for some time after its file is gone.
      constexpr int kTries = 20;
      descriptor_ = make(mode);
      for (int i = 1; i < kTries && descriptor_ < 0; ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
        descriptor_ = make(mode);
      }
    }
    if (descriptor_ < 0) return system_error(path_, "make a new file beside it", errno);
    static_cast<void>(lock_exclusively(descriptor_));  // says to others that somebody is at work
    return {};
  }

  Result<void> write(Bytes bytes) const {
    while (!bytes.empty()) {
      const ssize_t count = ::write(descriptor_, bytes.data(), bytes.size());
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return system_error(path_, "write its new content", errno);
      bytes = bytes.subspan(static_cast<std::size_t>(count));
    }
    return {};
  }

  Result<void> flush() const {
    if (::fsync(descriptor_) != 0) return system_error(path_, "flush its new content", errno);
    return {};
  }

  // What the disk gives back. By the same descriptor: on SMB shares its lock keeps every other one out.
  [[nodiscard]] Result<std::vector<std::byte>> read_back(std::size_t size) const {
    std::vector<std::byte> bytes(size + 1);  // one more shows a file that grew
    std::size_t done = 0;
    while (done < bytes.size()) {
      const ssize_t count = ::pread(descriptor_, bytes.data() + done, bytes.size() - done, static_cast<off_t>(done));
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return system_error(path_, "read back its new content", errno);
      if (count == 0) break;
      done += static_cast<std::size_t>(count);
    }
    bytes.resize(done);
    return bytes;
  }

  // Owner, mode, access lists and other extended attributes, then times, which all else would change.
  Result<void> take_after(const struct stat& old) const {
    struct stat own {};
    if (::fstat(descriptor_, &own) != 0) return system_error(path_, "inspect its new content", errno);
    const bool other_owner = own.st_uid != old.st_uid || own.st_gid != old.st_gid;
    if (other_owner && ::fchown(descriptor_, old.st_uid, old.st_gid) != 0) return system_error(path_, "keep its owner", errno);
    if (::fchmod(descriptor_, old.st_mode & 07777U) != 0) return system_error(path_, "keep its mode", errno);
    FOVEA_TRY(copy_attributes());
    const std::array<timespec, 2> times{old.st_atim, old.st_mtim};
    if (::futimens(descriptor_, times.data()) != 0) return system_error(path_, "keep its times", errno);
    return {};
  }

  Result<void> rename() {
    if (::rename(name_.c_str(), path_.c_str()) != 0) return system_error(path_, "be replaced", errno);
    kept_ = true;
    return {};
  }

  [[nodiscard]] const fs::path& name() const { return name_; }

 private:
  [[nodiscard]] int make(mode_t mode) const {
    return ::open(name_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
  }

  // What a killed run has left behind: nobody holds its lock any more. NFS locks only what is open for writing.
  [[nodiscard]] bool remove_abandoned() const {
    const int found = ::open(name_.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (found < 0) return errno == ENOENT;
    const bool abandoned = lock_exclusively(found) == Locked::kYes;
    ::close(found);  // before it is deleted: a file that is open is not gone on a share
    if (abandoned && ::unlink(name_.c_str()) == 0) return true;
    errno = EEXIST;
    return false;
  }

  Result<void> copy_attributes() const {
    const ssize_t size = ::llistxattr(path_.c_str(), nullptr, 0);
    if (size <= 0) return {};  // none, or a file system without
    std::string names(static_cast<std::size_t>(size), '\0');
    const ssize_t listed = ::llistxattr(path_.c_str(), names.data(), names.size());
    if (listed < 0) return system_error(path_, "list its extended attributes", errno);
    names.resize(static_cast<std::size_t>(listed));
    for (std::size_t at = 0; at < names.size(); at += std::string_view(&names[at]).size() + 1) {
      const char* const name = &names[at];
      std::vector<std::byte> value(65536);  // the most that Linux allows
      const ssize_t length = ::lgetxattr(path_.c_str(), name, value.data(), value.size());
      if (length < 0) return system_error(path_, "read an extended attribute", errno);
      // What the system keeps for itself (security.selinux and the like) it gives to the new file as well.
      const bool ours = std::string_view(name).starts_with("user.") || std::string_view(name).starts_with("system.posix_acl");
      if (::fsetxattr(descriptor_, name, value.data(), static_cast<std::size_t>(length), 0) != 0 && ours) {
        return system_error(path_, "keep an extended attribute", errno);
      }
    }
    return {};
  }

  fs::path path_;
  fs::path name_;
  int descriptor_ = -1;
  bool kept_ = false;
};

void flush_folder(const fs::path& path) {
  const fs::path folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return;
  ::fsync(descriptor);
  ::close(descriptor);
}

Result<void> still(const fs::path& path, const std::optional<FileStamp>& expected) {
  if (stamp_of(path) == expected) return {};
  struct stat now {};
  if (::lstat(path.c_str(), &now) != 0 && errno != ENOENT) return system_error(path, "be looked at", errno);
  return fail(Error::Kind::kIo, "{}: changed by another program meanwhile; left alone", path.string());
}

}  // namespace

fs::path temporary_name(const fs::path& path) {
  return path.parent_path() / fmt::format(".{}.fovea-new", path.filename().string());
}

Result<FileStamp> replace_file(const fs::path& path, const std::optional<FileStamp>& expected, Bytes content,
                               const Verify& verify) {
  struct stat old {};
  const bool existed = ::lstat(path.c_str(), &old) == 0;
  FOVEA_TRY(still(path, expected));
  Draft draft(path);
  FOVEA_TRY(draft.create(existed ? 0600 : 0666));
  FOVEA_TRY(draft.write(content));
  if (existed) FOVEA_TRY(draft.take_after(old));
  FOVEA_TRY(draft.flush());
  FOVEA_ASSIGN(const auto written, draft.read_back(content.size()));
  if (!std::ranges::equal(written, content)) {
    return fail(Error::Kind::kIo, "{}: the disk gave back other bytes than were written; left as it is", path.string());
  }
  FOVEA_TRY(verify(written));
  const auto stamp = stamp_of(draft.name());
  if (!stamp) return fail(Error::Kind::kIo, "{}: its new content is gone; left as it is", path.string());
  FOVEA_TRY(still(path, expected));
  FOVEA_TRY(draft.rename());
  flush_folder(path);
  return *stamp;
}

Result<void> remove_file(const fs::path& path, const FileStamp& expected) {
  FOVEA_TRY(still(path, expected));
  if (::unlink(path.c_str()) != 0) return system_error(path, "delete it", errno);
  flush_folder(path);
  return {};
}

}  // namespace fovea::archive
