// SPDX-License-Identifier: Apache-2.0
#include "fovea/named_folders.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "core/error.h"

namespace fovea {
namespace {

namespace fs = std::filesystem;

// A bad spot of a disk costs a photo or two; so many one after another are more than spots.
constexpr int kMostInARow = 8;

// What the system says of a device or server that does not answer, rather than of a file.
constexpr std::array kOfDevices{EIO,       ESTALE,      ENOTCONN,     ENODEV,    ENXIO,     EHOSTDOWN,
                                EREMOTEIO, ENETUNREACH, EHOSTUNREACH, ESHUTDOWN, ETIMEDOUT, ECONNABORTED};

// Why no byte of the file is to be had; 0: one is, or the reason is the file's own.
int device_error_of(const fs::path& file) {
  const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  char byte = 0;
  const bool failed = descriptor < 0 || ::read(descriptor, &byte, 1) < 0;
  const int code = failed ? errno : 0;
  if (descriptor >= 0) ::close(descriptor);
  return std::ranges::find(kOfDevices, code) == kOfDevices.end() ? 0 : code;
}

}  // namespace

NamedFolders::NamedFolders(std::span<const fs::path> paths) {
  for (const fs::path& path : paths) {
    struct stat status {};
    if (::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode)) folders_.push_back({path, status.st_dev});
  }
}

void NamedFolders::tell(const fs::path& photo, bool read) {
  if (!read) return look(photo);
  if (in_a_row_.load(std::memory_order_relaxed) != 0) in_a_row_ = 0;
}

void NamedFolders::look(const fs::path& photo) {
  const int code = lost() ? 0 : device_error_of(photo);
  const std::lock_guard lock(mutex_);
  const auto lose = [&](const fs::path& folder, std::string_view reason) {
    why_ = fmt::format("{}: {}", folder.string(), reason);
    lost_ = true;
  };
  for (const Folder& folder : folders_) {
    if (lost_) return;
    struct stat status {};
    if (::stat(folder.path.c_str(), &status) != 0) {
      lose(folder.path, errno_text(errno));
    } else if (status.st_dev != folder.device && ::lstat(photo.c_str(), &status) != 0) {
      lose(folder.path, "on another file system now");
    }
  }
  in_a_row_ = code == 0 ? 0 : in_a_row_ + 1;
  if (!lost_ && in_a_row_ >= kMostInARow) {
    lose(photo.parent_path(), fmt::format("{} photos one after another cannot be read ({})", kMostInARow, errno_text(code)));
  }
}

std::string NamedFolders::why() const {
  const std::lock_guard lock(mutex_);
  return why_;
}

Error NamedFolders::stopped(std::string_view and_now) const { return fail(Error::Kind::kIo, "{}; stopped{}", why(), and_now); }

}  // namespace fovea
