// SPDX-License-Identifier: Apache-2.0
#include "format/zip.h"

#include <zlib.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "core/error.h"
#include "format/byte_cursor.h"

namespace fovea {
namespace {

constexpr std::uint32_t kLocalSignature = 0x04034B50;
constexpr std::uint32_t kCentralSignature = 0x02014B50;
constexpr std::uint32_t kEnd64Signature = 0x06064B50;
constexpr std::uint32_t kLocator64Signature = 0x07064B50;
constexpr std::uint16_t kZip64Field = 0x0001;
constexpr std::uint16_t kEncrypted = 0x0001;

// The records as they lie in the file, little-endian and without padding.
struct [[gnu::packed]] EndRecord {
  std::uint32_t signature;
  std::uint16_t disk, directory_disk, entries_here, entries;
  std::uint32_t directory_size, directory_offset;
  std::uint16_t comment_length;
};
struct [[gnu::packed]] Locator64 {
  std::uint32_t signature, disk;
  std::uint64_t end_offset;
  std::uint32_t disks;
};
struct [[gnu::packed]] EndRecord64 {
  std::uint32_t signature;
  std::uint64_t size;
  std::uint16_t made_by, needed;
  std::uint32_t disk, directory_disk;
  std::uint64_t entries_here, entries, directory_size, directory_offset;
};
struct [[gnu::packed]] CentralRecord {
  std::uint32_t signature;
  std::uint16_t made_by, needed, flags, method, time, date;
  std::uint32_t crc, packed_size, size;
  std::uint16_t name_length, extra_length, comment_length, disk, internal_attributes;
  std::uint32_t external_attributes, local_offset;
};
struct [[gnu::packed]] LocalRecord {
  std::uint32_t signature;
  std::uint16_t needed, flags, method, time, date;
  std::uint32_t crc, packed_size, size;
  std::uint16_t name_length, extra_length;
};
static_assert(sizeof(EndRecord) == 22 && sizeof(Locator64) == 20 && sizeof(EndRecord64) == 56);
static_assert(sizeof(CentralRecord) == 46 && sizeof(LocalRecord) == 30);

struct Directory {
  std::uint64_t entries = 0;
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
};

// Where one entry lies, from its local header to the end of its data.
struct Extent {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  std::string_view name;
};

Error broken(std::string_view reason) { return fail(Error::Kind::kFormat, "zip archive: {}", reason); }

// The end record stands at the very end, behind it only a comment whose length it states.
Result<std::pair<EndRecord, std::size_t>> find_end(Bytes file) {
  constexpr std::size_t kLongestTail = sizeof(EndRecord) + 0xFFFF;
  const std::string_view tail = text_of(file.last(std::min(file.size(), kLongestTail)));
  std::optional<std::pair<EndRecord, std::size_t>> last;
  for (std::size_t found = tail.find("PK\x05\x06"); found != tail.npos; found = tail.find("PK\x05\x06", found + 1)) {
    const std::size_t at = file.size() - tail.size() + found;
    const auto end = ByteCursor(file, at).number<EndRecord>();
    if (end && at + sizeof(EndRecord) + end->comment_length == file.size()) last = std::pair(*end, at);
  }
  if (last) return *last;
  return broken(fmt::format("no directory at the end of its {} bytes: truncated?", file.size()));
}

Result<Directory> find_directory(Bytes file) {
  FOVEA_ASSIGN(const auto found, find_end(file));
  const auto& [end, at] = found;
  Directory directory{end.entries, end.directory_offset, end.directory_size};
  std::uint64_t limit = at;
  std::uint64_t disks = end.disk | end.directory_disk | (end.entries ^ end.entries_here);
  const auto locator = at < sizeof(Locator64) ? std::nullopt : ByteCursor(file, at - sizeof(Locator64)).number<Locator64>();
  if (locator && locator->signature == kLocator64Signature) {
    const std::uint64_t end64_offset = locator->end_offset;
    if (end64_offset > at - sizeof(Locator64)) return broken("its 64-bit end record lies outside the file");
    const auto end64 = ByteCursor(file, end64_offset).number<EndRecord64>();
    if (!end64 || end64->signature != kEnd64Signature) return broken("its 64-bit end record is missing");
    directory = {end64->entries, end64->directory_offset, end64->directory_size};
    limit = end64_offset;
    disks = end64->disk | end64->directory_disk | (end64->entries ^ end64->entries_here);
  }
  if (disks != 0) return broken("spread over several disks");
  if (directory.offset > limit || directory.size != limit - directory.offset) {
    return broken(fmt::format("directory of {} bytes at {} does not end at {}", directory.size, directory.offset, limit));
  }
  if (directory.entries > directory.size / sizeof(CentralRecord)) {
    return broken(fmt::format("{} entries in a directory of {} bytes", directory.entries, directory.size));
  }
  return directory;
}

// Names are only ever looked up, never written to; but one that climbs out of its folder tells of ill intent.
bool is_plain_name(std::string_view name) {
  if (name.empty() || name.front() == '/' || name.find('\\') != name.npos || !is_utf8(name)) return false;
  if (std::ranges::any_of(name, [](char c) { return static_cast<unsigned char>(c) < 0x20; })) return false;
  while (true) {
    const std::size_t length = name.find('/');
    const std::string_view part = name.substr(0, length);
    if (part == ".." || part == ".") return false;
    if (length == name.npos) return true;
    name.remove_prefix(length + 1);
  }
}

// Sizes and offset of an entry; those that 32 bits cannot hold are in the 64-bit extra field, in this order.
struct Placement {
  std::uint64_t size, packed_size, local_offset;
};

Result<Placement> placement_of(const CentralRecord& record, Bytes extra, std::string_view name) {
  constexpr std::uint32_t kElsewhere = 0xFFFFFFFF;
  Placement placement{record.size, record.packed_size, record.local_offset};
  std::vector<std::uint64_t*> wanted;
  for (std::uint64_t* value : {&placement.size, &placement.packed_size, &placement.local_offset}) {
    if (*value == kElsewhere) wanted.push_back(value);
  }
  if (wanted.empty()) return placement;
  ByteCursor fields(extra);
  while (true) {
    const auto id = fields.number<std::uint16_t>();
    const auto length = fields.number<std::uint16_t>();
    const auto field = length ? fields.take(*length) : std::nullopt;
    if (!field) return broken(fmt::format("entry '{}': its 64-bit sizes are missing", printable(name)));
    if (*id != kZip64Field) continue;
    ByteCursor values(*field);
    for (std::uint64_t* value : wanted) {
      const auto number = values.number<std::uint64_t>();
      if (!number) return broken(fmt::format("entry '{}': its 64-bit sizes are cut", printable(name)));
      *value = *number;
    }
    return placement;
  }
}

Result<void> check_entry(const CentralRecord& record, const Placement& placement, std::string_view name) {
  if (!is_plain_name(name)) return broken(fmt::format("entry '{}': not a plain relative name", printable(name)));
  if ((record.flags & kEncrypted) != 0) return broken(fmt::format("entry '{}': encrypted", printable(name)));
  if (record.method == 0 && placement.size != placement.packed_size) {
    return broken(
        fmt::format("entry '{}': stored, but {} bytes become {}", printable(name), placement.packed_size, placement.size));
  }
  return {};
}

// The local header repeats the name; the data follow it and must end before the directory.
Result<Extent> locate(Bytes file, const Directory& directory, const Placement& placement, std::uint16_t method,
                      std::string_view name) {
  const Bytes area = file.first(directory.offset);
  const auto outside = [&] { return broken(fmt::format("entry '{}': lies outside the file", printable(name))); };
  if (placement.local_offset > area.size()) return outside();
  ByteCursor cursor(area, placement.local_offset);
  const auto local = cursor.number<LocalRecord>();
  if (!local) return outside();
  const auto local_name = cursor.take(local->name_length);
  if (local->signature != kLocalSignature || !local_name || text_of(*local_name) != name || local->method != method) {
    return broken(fmt::format("entry '{}': its own header disagrees with the directory", printable(name)));
  }
  if (!cursor.take(local->extra_length) || !cursor.take(placement.packed_size)) return outside();
  return Extent{placement.local_offset, cursor.position(), name};
}

Result<void> check_disjoint(std::vector<Extent> extents) {
  std::ranges::sort(extents, {}, &Extent::begin);
  for (std::size_t i = 1; i < extents.size(); ++i) {
    if (extents[i].begin < extents[i - 1].end) {
      return broken(fmt::format("entries '{}' and '{}' overlap", printable(extents[i - 1].name), printable(extents[i].name)));
    }
  }
  return {};
}

}  // namespace

Result<ZipArchive> ZipArchive::parse(Bytes file) {
  FOVEA_ASSIGN(const Directory directory, find_directory(file));
  ZipArchive archive;
  std::vector<Extent> extents;
  ByteCursor cursor(file.subspan(directory.offset, directory.size));
  for (std::uint64_t i = 0; i < directory.entries; ++i) {
    const auto record = cursor.number<CentralRecord>();
    if (!record || record->signature != kCentralSignature) return broken(fmt::format("entry {} of its directory is damaged", i));
    const auto name_bytes = cursor.take(record->name_length);
    const auto extra = name_bytes ? cursor.take(record->extra_length) : std::nullopt;
    if (!extra || !cursor.take(record->comment_length)) return broken(fmt::format("entry {} of its directory is cut", i));
    const std::string_view name = text_of(*name_bytes);
    FOVEA_ASSIGN(const Placement placement, placement_of(*record, *extra, name));
    FOVEA_TRY(check_entry(*record, placement, name));
    FOVEA_ASSIGN(const Extent extent, locate(file, directory, placement, record->method, name));
    if (!archive.index_.emplace(name, archive.entries_.size()).second) {
      return broken(fmt::format("two entries named '{}'", printable(name)));
    }
    const Bytes data = file.subspan(extent.end - placement.packed_size, placement.packed_size);
    archive.entries_.push_back({name, data, record->crc, record->method});
    extents.push_back(extent);
  }
  if (cursor.remaining() != 0) return broken(fmt::format("{} bytes of its directory belong to no entry", cursor.remaining()));
  FOVEA_TRY(check_disjoint(std::move(extents)));
  return archive;
}

Result<Bytes> ZipArchive::read(std::string_view name) const {
  const auto found = index_.find(name);
  if (found == index_.end()) return fail(Error::Kind::kNotFound, "zip archive: no entry '{}'", printable(name));
  const ZipEntry& entry = entries_[found->second];
  if (entry.method != 0) {
    return fail(Error::Kind::kUnsupported, "zip archive: entry '{}': compressed (method {}), expected stored as torch.save does",
                printable(name), entry.method);
  }
  const auto crc = static_cast<std::uint32_t>(
      ::crc32_z(::crc32(0, nullptr, 0), reinterpret_cast<const Bytef*>(entry.data.data()), entry.data.size()));
  if (crc != entry.crc)
    return broken(fmt::format("entry '{}': checksum {:08x}, expected {:08x}", printable(name), crc, entry.crc));
  return entry.data;
}

}  // namespace fovea
