// Fovea: files as bytes: mapped, read with a limit, and replaced all at once or not at all.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "fovea/result.h"

namespace fovea {

using Bytes = std::span<const std::byte>;

struct UnmapFile {
  std::size_t bytes = 0;
  void operator()(const std::byte* data) const noexcept;
};

/// A whole file mapped read-only. Moves, does not copy.
class MappedFile {
 public:
  /// Fails with kNotFound or kIo; a folder or a device is refused. An empty file maps to no bytes.
  static Result<MappedFile> open(const std::filesystem::path& path);

  [[nodiscard]] Bytes bytes() const { return {data_.get(), data_.get_deleter().bytes}; }

 private:
  std::unique_ptr<const std::byte, UnmapFile> data_;
};

/// Reads a whole regular file; kLimit when it holds more than `limit` bytes.
Result<std::vector<std::byte>> read_file(const std::filesystem::path& path, std::size_t limit);

/// The first bytes of a file, at most `count`; fewer where there are no more or reading fails.
[[nodiscard]] std::string read_head(const std::filesystem::path& path, std::size_t count);

/// Writes a file so that a reader, or a crash, sees the old bytes or all of the new ones: temporary name
/// in the same folder, flush, rename, flush of the folder. The temporary file is removed on every failure.
class AtomicFile {
 public:
  /// A link stays, and the file that it leads to is replaced; a folder, a device or a pipe is refused.
  static Result<AtomicFile> create(const std::filesystem::path& path);
  AtomicFile(AtomicFile&& other) noexcept;
  AtomicFile& operator=(AtomicFile&&) = delete;
  ~AtomicFile();

  Result<void> write(Bytes bytes);
  Result<void> write(std::string_view text) { return write(std::as_bytes(std::span(text))); }
  /// Puts the new bytes in place.
  Result<void> commit();

 private:
  AtomicFile(std::filesystem::path path, std::filesystem::path temporary, int descriptor)
      : path_(std::move(path)), temporary_(std::move(temporary)), descriptor_(descriptor) {}
  void discard() noexcept;

  std::filesystem::path path_;
  std::filesystem::path temporary_;
  int descriptor_ = -1;
};

/// The whole of `text` as the new content of `path`, atomically.
Result<void> write_file_atomically(const std::filesystem::path& path, std::string_view text);

}  // namespace fovea
