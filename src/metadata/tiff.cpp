// SPDX-License-Identifier: Apache-2.0
//
// Nothing in a TIFF file moves: what is new is appended, and pointers to it are changed.
#include <algorithm>
#include <map>
#include <string>
#include <string_view>

#include "core/error.h"
#include "image/tiff_directory.h"
#include "metadata/container.h"
#include "metadata/md5.h"

namespace fovea::metadata {
namespace {

constexpr std::uint16_t kXmp = 700;
constexpr std::uint16_t kIptc = 33723;
constexpr std::uint16_t kResources = 34377;  // Photoshop's
constexpr std::uint16_t kXpKeywords = 0x9C9E;
constexpr std::uint16_t kByteType = 1;
constexpr std::size_t kEntrySize = 12;

std::string number(std::size_t value, std::size_t bytes, ByteOrder order) {
  std::string text(bytes, '\0');
  for (std::size_t i = 0; i < bytes; ++i)
    text[order == ByteOrder::kBig ? bytes - 1 - i : i] = static_cast<char>(value >> (8 * i));
  return text;
}

// New values at the end of a file, and the entries that point to them.
class Tail {
 public:
  Tail(Bytes file, ByteOrder order) : file_(file), order_(order), text_(file.size() % 2, '\0') {}

  /// `value`: more than four bytes; `count` of the type.
  void set(std::uint16_t tag, std::uint16_t type, std::size_t count, std::string_view value) {
    entries_[tag] = number(tag, 2, order_) + number(type, 2, order_) + number(count, 4, order_) + number(end(), 4, order_);
    text_ += value;
    if (end() % 2 != 0) text_ += '\0';
  }
  void append(std::string_view text) { text_ += text; }

  [[nodiscard]] std::size_t end() const { return file_.size() + text_.size(); }
  [[nodiscard]] const std::string& text() const { return text_; }
  [[nodiscard]] const std::map<std::uint16_t, std::string>& entries() const { return entries_; }

 private:
  Bytes file_;
  ByteOrder order_;
  std::string text_;
  std::map<std::uint16_t, std::string> entries_;
};

// The first directory again, at the end of the file, with these entries instead of its own and among them, in ascending order.
std::string new_directory(Bytes file, std::size_t at, std::map<std::uint16_t, std::string> entries, ByteOrder order) {
  const std::size_t count = read_uint(file, at, 2, order);
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t old = at + 2 + i * kEntrySize;
    entries.emplace(static_cast<std::uint16_t>(read_uint(file, old, 2, order)), as_text(file.subspan(old, kEntrySize)));
  }
  std::string text = number(entries.size(), 2, order);
  for (const auto& [tag, entry] : entries) text += entry;
  return text + std::string(as_text(file.subspan(at + 2 + count * kEntrySize, 4)));
}

struct TiffFields {
  const TiffReader::Entry* xmp = nullptr;
  const TiffReader::Entry* iptc = nullptr;
  const TiffReader::Entry* resources = nullptr;
};

TiffFields fields_of(const std::vector<TiffReader::Entry>& entries) {
  return {find_tag(entries, kXmp), find_tag(entries, kIptc), find_tag(entries, kResources)};
}

// IPTC records go by bytes or, as most programs write them, by units of four, filled up with zeros.
std::vector<std::byte> filled_iptc(const TiffReader::Entry& old, std::vector<std::byte> records) {
  const std::size_t unit = std::max<std::size_t>(1, old.size / std::max<std::uint32_t>(old.count, 1));
  while (records.size() <= 4 || records.size() % unit != 0) records.push_back({});
  return records;
}

}  // namespace

Blocks find_tiff_blocks(Bytes file) {
  Blocks blocks;
  const auto reader = TiffReader::open(file);
  if (!reader) return blocks;
  blocks.exif = file;
  const auto entries = reader->directory(reader->first_directory());
  if (const auto* const xmp = find_tag(entries, kXmp)) blocks.xmp = reader->data(*xmp);
  if (const auto* const iptc = find_tag(entries, kIptc)) blocks.iptc = reader->data(*iptc);
  return blocks;
}

OlderWords wanted_in_tiff(Bytes file, const std::vector<std::string>& words) {
  OlderWords wanted;
  const auto reader = TiffReader::open(file);
  if (!reader) return wanted;
  const auto entries = reader->directory(reader->first_directory());
  const TiffFields fields = fields_of(entries);
  wanted.xp.add = wanted_in_xp(xp_keywords(file), words);
  // Where Photoshop's resources hold the records once more, nobody could say which of the two a program reads.
  const bool twice = fields.resources != nullptr && !iptc_records(reader->data(*fields.resources)).empty();
  if (fields.iptc != nullptr && !twice) wanted.iptc.add = wanted_in_iptc(reader->data(*fields.iptc), words);
  return wanted;
}

Result<Splices> embed_in_tiff(Bytes file, std::string_view packet, const OlderWords& older) {
  const auto reader = TiffReader::open(file);
  if (!reader) return fail(Error::Kind::kUnsupported, "BigTIFF files get their keywords in a sidecar");
  const ByteOrder order = reader->order();
  const std::size_t at = reader->first_directory();
  const std::size_t count = read_uint(file, at, 2, order);
  if (count == 0 || count >= 0xFFFF - 1 || at + 2 + count * kEntrySize + 4 > file.size()) {
    return fail(Error::Kind::kFormat, "TIFF: its first directory is damaged");
  }
  if (packet.size() <= 4) return fail(Error::Kind::kFormat, "TIFF: {} bytes of XMP", packet.size());
  const auto entries = reader->directory(at);
  const TiffFields fields = fields_of(entries);
  Splices splices;
  Tail tail(file, order);
  tail.set(kXmp, kByteType, packet.size(), packet);
  if (fields.iptc != nullptr && !older.iptc.empty()) {
    const Bytes old = reader->data(*fields.iptc);
    const auto records = filled_iptc(*fields.iptc, changed_iptc(old, older.iptc));
    tail.set(kIptc, fields.iptc->type, records.size() * fields.iptc->count / old.size(), as_text(records));
    const std::size_t digest = fields.resources != nullptr ? digest_at(reader->data(*fields.resources), old) : kNoDigest;
    if (digest != kNoDigest) {
      const auto anew = md5(records);
      splices.push_back({fields.resources->value_at + digest, anew.size(), {anew.begin(), anew.end()}});
    }
  }
  if (!older.xp.empty() && !xp_keywords(file).empty()) {
    std::vector<std::byte> value = changed_xp(xp_keywords(file), older.xp);
    while (value.size() <= 4) value.push_back({});  // further NULs
    tail.set(kXpKeywords, kByteType, value.size(), as_text(value));
  }
  if (fields.xmp != nullptr) {
    for (const auto& [tag, entry] : tail.entries()) {
      splices.push_back({find_tag(entries, tag)->at, kEntrySize, copy_of(as_bytes(entry))});
    }
  } else {
    splices.push_back({4, 4, copy_of(as_bytes(number(tail.end(), 4, order)))});
    tail.append(new_directory(file, at, tail.entries(), order));
  }
  if (tail.end() > 0xFFFFFFF0U) return fail(Error::Kind::kLimit, "TIFF: more than 4 GB");
  splices.push_back({file.size(), 0, copy_of(as_bytes(tail.text()))});
  std::ranges::stable_sort(splices, {}, &Splice::offset);
  return splices;
}

}  // namespace fovea::metadata
