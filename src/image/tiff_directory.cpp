// SPDX-License-Identifier: Apache-2.0
#include "image/tiff_directory.h"

#include <algorithm>
#include <array>

namespace fovea {
namespace {

using namespace std::string_view_literals;

// Bytes a value, by type (1 BYTE to 12 DOUBLE, 13 IFD).
constexpr std::array<std::size_t, 14> kTypeSizes{0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4};
constexpr std::size_t kEntrySize = 12;

}  // namespace

std::optional<TiffReader> TiffReader::open(Bytes tiff) {
  if (has_at(tiff, 0, "Exif\0"sv) && tiff.size() >= 6) tiff = tiff.subspan(6);
  // Olympus and Panasonic mark their raw files in place of 42.
  for (const std::string_view mark : {"II*\0"sv, "IIRO"sv, "IIRS"sv, "IIU\0"sv}) {
    if (has_at(tiff, 0, mark)) return TiffReader(tiff, ByteOrder::kLittle);
  }
  for (const std::string_view mark : {"MM\0*"sv, "MMOR"sv}) {
    if (has_at(tiff, 0, mark)) return TiffReader(tiff, ByteOrder::kBig);
  }
  return std::nullopt;
}

std::vector<TiffReader::Entry> TiffReader::directory(std::size_t at) const {
  std::vector<Entry> entries;
  const std::size_t count = read_uint(bytes_, at, 2, order_);
  for (std::size_t i = 0; i < count; ++i) {
    Entry entry;
    entry.at = at + 2 + i * kEntrySize;
    if (entry.at + kEntrySize > bytes_.size()) break;
    entry.tag = static_cast<std::uint16_t>(read_uint(bytes_, entry.at, 2, order_));
    entry.type = static_cast<std::uint16_t>(read_uint(bytes_, entry.at + 2, 2, order_));
    entry.count = read_uint(bytes_, entry.at + 4, 4, order_);
    if (entry.type == 0 || entry.type >= kTypeSizes.size()) continue;
    entry.size = std::size_t{entry.count} * kTypeSizes[entry.type];
    entry.value_at = entry.size <= 4 ? entry.at + 8 : read_uint(bytes_, entry.at + 8, 4, order_);
    if (entry.value_at > bytes_.size() || entry.size > bytes_.size() - entry.value_at) continue;
    entries.push_back(entry);
  }
  return entries;
}

std::size_t TiffReader::next_directory(std::size_t at) const {
  return read_uint(bytes_, at + 2 + read_uint(bytes_, at, 2, order_) * kEntrySize, 4, order_);
}

std::uint32_t TiffReader::number(const Entry& entry, std::uint32_t index) const {
  const std::size_t width = kTypeSizes[entry.type];
  if (index >= entry.count || width > 4) return 0;
  return read_uint(bytes_, entry.value_at + index * width, width, order_);
}

std::optional<double> TiffReader::rational(const Entry& entry, std::uint32_t index) const {
  constexpr std::uint16_t kRational = 5;
  if (entry.type != kRational || index >= entry.count) return std::nullopt;
  const std::size_t at = entry.value_at + std::size_t{index} * 8;
  const std::uint32_t denominator = read_uint(bytes_, at + 4, 4, order_);
  if (denominator == 0) return std::nullopt;
  return static_cast<double>(read_uint(bytes_, at, 4, order_)) / denominator;
}

std::string_view TiffReader::text(const Entry& entry) const {
  const Bytes values = data(entry);
  const std::string_view all(reinterpret_cast<const char*>(values.data()), values.size());
  return all.substr(0, all.find('\0'));
}

const TiffReader::Entry* find_tag(const std::vector<TiffReader::Entry>& entries, std::uint16_t tag) {
  const auto found = std::ranges::find(entries, tag, &TiffReader::Entry::tag);
  return found == entries.end() ? nullptr : &*found;
}

}  // namespace fovea
