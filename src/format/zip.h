// Fovea: the zip archive that PyTorch writes: stored entries, 64-bit sizes, one central directory at the end.
// SPDX-License-Identifier: Apache-2.0
//
// The format: APPNOTE.TXT of PKWARE, sections 4.3 and 4.5.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/file.h"
#include "fovea/result.h"

namespace fovea {

struct ZipEntry {
  std::string_view name;
  Bytes data;
  std::uint32_t crc = 0;
  /// 0 for data as they are; anything else is some compression.
  std::uint16_t method = 0;
};

/// The entries of an archive, all views into its bytes, whose owner must outlive it.
class ZipArchive {
 public:
  /// Refuses whatever is not a plain archive: a cut or patched directory, entries that overlap, lie outside the file or are
  /// named twice, encrypted entries, and names that lead out of the archive's own folder.
  static Result<ZipArchive> parse(Bytes file);

  [[nodiscard]] std::span<const ZipEntry> entries() const { return entries_; }
  [[nodiscard]] bool contains(std::string_view name) const { return index_.contains(name); }
  /// The bytes of an entry, checked against its checksum. Fails with kNotFound or kFormat; with kUnsupported for a compressed
  /// entry, which could be far larger than it looks.
  [[nodiscard]] Result<Bytes> read(std::string_view name) const;

 private:
  std::vector<ZipEntry> entries_;
  std::unordered_map<std::string_view, std::size_t> index_;
};

}  // namespace fovea
