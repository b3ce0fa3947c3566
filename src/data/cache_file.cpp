// SPDX-License-Identifier: Apache-2.0
#include "data/cache_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <mutex>
#include <system_error>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/file_lock.h"
#include "core/hash.h"
#include "data/cache_store.h"

namespace fovea {
namespace {

namespace fs = std::filesystem;
using cache_file::FileHeader;
using cache_file::RecordHeader;

constexpr std::uint32_t kLargestSide = 1 << 16;
constexpr std::string_view kExtension = ".photos";

std::uint64_t own_hash(const RecordHeader& header) {
  return hash64(std::as_bytes(std::span(&header, 1)).first(offsetof(RecordHeader, self)));
}
std::uint64_t pixel_bytes(const RecordHeader& header) { return std::uint64_t{header.width} * header.height * 3; }

bool plausible(const RecordHeader& header) {
  return header.magic == cache_file::kRecordMagic && header.width > 0 && header.height > 0 && header.width <= kLargestSide &&
         header.height <= kLargestSide && header.self == own_hash(header);
}

// Exactly `size` bytes, or false.
bool read_at(int descriptor, void* to, std::uint64_t size, std::uint64_t offset) {
  auto* bytes = static_cast<std::byte*>(to);
  while (size > 0) {
    const ssize_t count = ::pread(descriptor, bytes, size, static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    bytes += count;
    size -= static_cast<std::uint64_t>(count);
    offset += static_cast<std::uint64_t>(count);
  }
  return true;
}

bool write_at(int descriptor, const void* from, std::uint64_t size, std::uint64_t offset) {
  const auto* bytes = static_cast<const std::byte*>(from);
  while (size > 0) {
    const ssize_t count = ::pwrite(descriptor, bytes, size, static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return false;
    bytes += count;
    size -= static_cast<std::uint64_t>(count);
    offset += static_cast<std::uint64_t>(count);
  }
  return true;
}

// Another cache in the same folder.
struct Neighbour {
  fs::path path;
  std::uint64_t bytes = 0;
  fs::file_time_type used;
};

std::vector<Neighbour> neighbours_of(const fs::path& file) {
  std::vector<Neighbour> all;
  std::error_code failed;
  for (fs::directory_iterator entry(file.parent_path(), failed); !failed && entry != fs::directory_iterator();
       entry.increment(failed)) {
    if (entry->path() == file || entry->path().extension() != kExtension) continue;
    std::error_code gone;
    const Neighbour neighbour{entry->path(), entry->file_size(gone), entry->last_write_time(gone)};
    if (!gone) all.push_back(neighbour);
  }
  std::ranges::sort(all, {}, &Neighbour::used);
  return all;
}

// Removes a neighbour unless a process is writing it.
bool remove_unused(const Neighbour& neighbour) {
  const int descriptor = ::open(neighbour.path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return false;
  const bool removed = lock_exclusively(descriptor) == Locked::kYes && ::unlink(neighbour.path.c_str()) == 0;
  ::close(descriptor);
  return removed;
}

// pread rather than a mapping: a file that another program cuts short then gives an error, not a signal.
class FileStore final : public PhotoCache::Store {
 public:
  FileStore(fs::path path, std::uint64_t name, std::uint64_t max_bytes)
      : path_(std::move(path)), name_(name), max_bytes_(max_bytes) {
    descriptor_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (descriptor_ < 0) {
      trouble_ = fmt::format("{}: cannot open the cache: {}", path_.string(), errno_text(errno));
      return;
    }
    const Locked locked = lock_exclusively(descriptor_);
    writable_ = locked == Locked::kYes;
    if (!writable_) {
      trouble_ = fmt::format("{}: {}, so it is only read", path_.string(),
                             locked == Locked::kBusy ? "in use by another process" : "cannot be locked there");
    }
    read_records();
    ::futimens(descriptor_, nullptr);  // used just now
    leave_disk_space();
  }
  ~FileStore() override {
    if (descriptor_ >= 0) ::close(descriptor_);
  }

  std::optional<Image> find(const CacheKey& key) override {
    Record record;
    {
      const std::lock_guard lock(mutex_);
      const auto found = records_.find(key);
      if (found == records_.end()) return std::nullopt;
      record = found->second;
    }
    Image image(static_cast<int>(record.header.width), static_cast<int>(record.header.height));
    if (read_at(descriptor_, image.pixels.data(), image.pixels.size(), record.offset + sizeof(RecordHeader)) &&
        hash64(std::as_bytes(std::span(image.pixels))) == record.header.pixels) {
      return image;
    }
    const std::lock_guard lock(mutex_);
    records_.erase(key);  // damaged: to be decoded and written again
    return std::nullopt;
  }

  void keep(const CacheEntry& entry, const Image& image) override {
    RecordHeader header;
    header.width = static_cast<std::uint32_t>(image.width);
    header.height = static_cast<std::uint32_t>(image.height);
    std::ranges::copy(entry.key, header.key);
    header.path = entry.path;
    header.pixels = hash64(std::as_bytes(std::span(image.pixels)));
    header.self = own_hash(header);
    if (!plausible(header)) return;
    const std::lock_guard lock(mutex_);
    const std::uint64_t size = sizeof(header) + pixel_bytes(header);
    if (!writable_ || records_.contains(entry.key) || !make_room(size)) return;
    // The header last: until it is there, the record does not exist.
    if (write_at(descriptor_, image.pixels.data(), image.pixels.size(), end_ + sizeof(header)) &&
        write_at(descriptor_, &header, sizeof(header), end_)) {
      records_[entry.key] = {header, end_};
      end_ += size;
    } else {
      stop_writing(fmt::format("{}: cannot write the cache: {}", path_.string(), errno_text(errno)));
    }
  }

  void report(PhotoCache::Statistics& statistics) const override {
    const std::lock_guard lock(mutex_);
    statistics.bytes = end_;
    statistics.trouble = trouble_;
  }

 private:
  struct Record {
    RecordHeader header;
    std::uint64_t offset = 0;
  };

  // The index of what is there; what follows the last whole record is cut off. A file whose useless part outweighs the rest
  // begins anew.
  void read_records() {
    struct stat status {};
    const std::uint64_t size = ::fstat(descriptor_, &status) == 0 ? static_cast<std::uint64_t>(status.st_size) : 0;
    FileHeader file;
    end_ = sizeof(file);
    if (size < end_ || !read_at(descriptor_, &file, sizeof(file), 0) || file.magic != cache_file::kMagic || file.name != name_)
      return begin_anew();
    std::unordered_map<std::uint64_t, std::uint64_t> of_path;  // bytes of the latest record
    std::uint64_t useless = 0;
    RecordHeader header;
    while (size - end_ >= sizeof(header) && read_at(descriptor_, &header, sizeof(header), end_) && plausible(header)) {
      const std::uint64_t bytes = sizeof(header) + pixel_bytes(header);
      if (bytes > size - end_) break;
      records_[{header.key[0], header.key[1]}] = {header, end_};
      useless += std::exchange(of_path[header.path], bytes);
      end_ += bytes;
    }
    if (useless > end_ / 2) return begin_anew();
    if (writable_ && end_ < size && ::ftruncate(descriptor_, static_cast<off_t>(end_)) != 0) stop_writing(errno_text(errno));
  }

  void begin_anew() {
    records_.clear();
    end_ = sizeof(FileHeader);
    if (!writable_) return;
    FileHeader file;
    file.name = name_;
    if (::ftruncate(descriptor_, 0) != 0 || !write_at(descriptor_, &file, sizeof(file), 0)) {
      stop_writing(fmt::format("{}: cannot write the cache: {}", path_.string(), errno_text(errno)));
    }
  }

  // Half of what is free is for others.
  void leave_disk_space() {
    std::error_code failed;
    const fs::space_info space = fs::space(path_.parent_path(), failed);
    for (const Neighbour& neighbour : neighbours_of(path_)) others_ += neighbour.bytes;
    if (!failed) max_bytes_ = std::min(max_bytes_, others_ + end_ + space.available / 2);
  }

  // Removes other caches, the least recently used first, until `size` more bytes are within the limit.
  bool make_room(std::uint64_t size) {
    if (end_ + others_ + size <= max_bytes_) return true;
    others_ = 0;
    const std::vector<Neighbour> neighbours = neighbours_of(path_);
    for (const Neighbour& neighbour : neighbours) others_ += neighbour.bytes;
    for (const Neighbour& neighbour : neighbours) {
      if (end_ + others_ + size <= max_bytes_) break;
      if (remove_unused(neighbour)) others_ -= neighbour.bytes;
    }
    if (end_ + others_ + size <= max_bytes_) return true;
    stop_writing(fmt::format("{}: the cache is full ({} bytes)", path_.parent_path().string(), max_bytes_));
    return false;
  }

  void stop_writing(std::string why) {
    writable_ = false;
    trouble_ = std::move(why);
  }

  const fs::path path_;
  const std::uint64_t name_;
  std::uint64_t max_bytes_;
  int descriptor_ = -1;
  mutable std::mutex mutex_;
  std::unordered_map<CacheKey, Record, CacheKeyHash> records_;
  std::uint64_t end_ = 0;     ///< where the next record goes
  std::uint64_t others_ = 0;  ///< bytes of the other caches in the folder, when last looked at
  bool writable_ = false;
  std::string trouble_;
};

}  // namespace

std::unique_ptr<PhotoCache::Store> PhotoCache::Store::in_file(const fs::path& folder, std::uint64_t name,
                                                              std::uint64_t max_bytes) {
  std::error_code failed;
  fs::create_directories(folder, failed);
  if (failed) return nowhere(fmt::format("{}: cannot make the cache folder: {}", folder.string(), failed.message()));
  return std::make_unique<FileStore>(folder / fmt::format("{:016x}{}", name, kExtension), name, max_bytes);
}

}  // namespace fovea
