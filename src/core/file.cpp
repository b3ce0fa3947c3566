// SPDX-License-Identifier: Apache-2.0
#include "core/file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <utility>

#include "core/error.h"

namespace fovea {
namespace {

namespace fs = std::filesystem;

Error system_error(const char* action, const fs::path& path, int code) {
  return fail(code == ENOENT ? Error::Kind::kNotFound : Error::Kind::kIo, "{}: cannot {}: {}", path.string(), action,
              errno_text(code));
}

// A file descriptor that closes itself.
class Descriptor {
 public:
  explicit Descriptor(int value) : value_(value) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (value_ >= 0) ::close(value_);
  }
  [[nodiscard]] int get() const { return value_; }

 private:
  int value_;
};

// Opens without blocking on a pipe that nobody writes, and gives the size of a regular file.
Result<std::size_t> regular_size(const fs::path& path, const Descriptor& file, int open_error) {
  if (file.get() < 0) return system_error("open", path, open_error);
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) return system_error("inspect", path, errno);
  if (!S_ISREG(status.st_mode)) {
    return fail(Error::Kind::kIo, "{}: {}, expected a file", path.string(),
                S_ISDIR(status.st_mode) ? "is a folder" : "is not a regular file");
  }
  return static_cast<std::size_t>(status.st_size);
}

// What is to be replaced: where `path` is a link, the file that it leads to, so that the link stays.
Result<fs::path> replaceable(const fs::path& path) {
  std::error_code code;
  const fs::file_status status = fs::status(path, code);
  if (fs::exists(status) && !fs::is_regular_file(status)) {
    return fail(Error::Kind::kUsage, "{}: {}, expected the name of a file", path.string(),
                fs::is_directory(status) ? "is a folder" : "is not a regular file");
  }
  if (!fs::is_symlink(fs::symlink_status(path, code))) return path;
  const fs::path target = fs::canonical(path, code);
  return code ? path : target;
}

Result<void> write_all(int descriptor, const fs::path& path, Bytes bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return system_error("write", path, errno);
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  return {};
}

}  // namespace

void UnmapFile::operator()(const std::byte* data) const noexcept { ::munmap(const_cast<std::byte*>(data), bytes); }

Result<MappedFile> MappedFile::open(const fs::path& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  FOVEA_ASSIGN(const std::size_t size, regular_size(path, file, errno));
  MappedFile mapped;
  if (size == 0) return mapped;
  void* memory = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.get(), 0);
  if (memory == MAP_FAILED) return system_error("map", path, errno);
  mapped.data_ = {static_cast<const std::byte*>(memory), UnmapFile{size}};
  return mapped;
}

Result<std::vector<std::byte>> read_file(const fs::path& path, std::size_t limit) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  FOVEA_ASSIGN(const std::size_t size, regular_size(path, file, errno));
  if (size > limit) return fail(Error::Kind::kLimit, "{}: {} bytes, more than the limit of {}", path.string(), size, limit);
  std::vector<std::byte> bytes(size);
  std::size_t done = 0;
  while (done < size) {
    const ssize_t count = ::read(file.get(), bytes.data() + done, size - done);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return system_error("read", path, errno);
    if (count == 0) break;  // the file shrank meanwhile
    done += static_cast<std::size_t>(count);
  }
  bytes.resize(done);
  return bytes;
}

std::string read_head(const fs::path& path, std::size_t count) {
  std::string head(count, '\0');
  std::ifstream file(path, std::ios::binary);
  file.read(head.data(), static_cast<std::streamsize>(count));
  head.resize(static_cast<std::size_t>(file.gcount()));
  return head;
}

Result<AtomicFile> AtomicFile::create(const fs::path& named) {
  FOVEA_ASSIGN(const fs::path path, replaceable(named));
  std::string name = path.string() + ".part-XXXXXX";
  const int descriptor = ::mkostemp(name.data(), O_CLOEXEC);
  if (descriptor < 0) return system_error("create", path, errno);
  struct stat old {};
  const mode_t mask = ::umask(0);
  ::umask(mask);
  ::fchmod(descriptor, ::stat(path.c_str(), &old) == 0 ? old.st_mode & 07777 : 0666 & ~mask);
  return AtomicFile(path, fs::path(name), descriptor);
}

AtomicFile::AtomicFile(AtomicFile&& other) noexcept
    : path_(std::move(other.path_)), temporary_(std::move(other.temporary_)), descriptor_(std::exchange(other.descriptor_, -1)) {}

AtomicFile::~AtomicFile() { discard(); }

void AtomicFile::discard() noexcept {
  if (descriptor_ < 0) return;
  ::close(std::exchange(descriptor_, -1));
  ::unlink(temporary_.c_str());
}

Result<void> AtomicFile::write(Bytes bytes) { return write_all(descriptor_, path_, bytes); }

Result<void> AtomicFile::commit() {
  if (::fsync(descriptor_) != 0) return system_error("flush", path_, errno);
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) return system_error("replace", path_, errno);
  ::close(std::exchange(descriptor_, -1));
  const fs::path folder = path_.has_parent_path() ? path_.parent_path() : fs::path(".");
  const Descriptor directory(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory.get() >= 0) ::fsync(directory.get());
  return {};
}

Result<void> write_file_atomically(const fs::path& path, std::string_view text) {
  FOVEA_ASSIGN(AtomicFile file, AtomicFile::create(path));
  FOVEA_TRY(file.write(text));
  return file.commit();
}

}  // namespace fovea
