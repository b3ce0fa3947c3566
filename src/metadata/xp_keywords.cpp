// SPDX-License-Identifier: Apache-2.0
//
// Nothing in an Exif segment moves: a longer value is appended, and its entry points there.
#include <algorithm>
#include <string>
#include <utility>

#include "image/tiff_directory.h"
#include "metadata/facts.h"
#include "metadata/older_words.h"
#include "metadata/text.h"

namespace fovea::metadata {
namespace {

constexpr std::uint16_t kXpKeywords = 0x9C9E;
constexpr std::size_t kInPlace = 4;  // so many bytes of a value stand in the entry itself

// Units of UTF-16 up to the first NUL.
std::u16string units_of(Bytes value) {
  std::u16string units;
  for (std::size_t at = 0; at + 1 < value.size(); at += 2) {
    const auto unit = static_cast<char16_t>(read_uint(value, at, 2, ByteOrder::kLittle));
    if (unit == 0) break;
    units += unit;
  }
  return units;
}

std::string utf8_of(std::u16string_view units) {
  std::string text;
  for (std::size_t i = 0; i < units.size(); ++i) {
    std::uint32_t code = units[i];
    const std::uint32_t low = i + 1 < units.size() ? units[i + 1] : 0;
    if (code >= 0xD800 && code < 0xDC00 && low >= 0xDC00 && low < 0xE000) {
      code = 0x10000 + ((code - 0xD800) << 10U) + (low - 0xDC00);
      ++i;
    }
    append_utf8(text, code >= 0xD800 && code < 0xE000 ? '?' : code);
  }
  return text;
}

// Of valid UTF-8.
std::u16string utf16_of(std::string_view text) {
  std::u16string units;
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i++]);
    std::uint32_t code = lead < 0x80 ? lead : lead < 0xE0 ? lead & 0x1FU : lead < 0xF0 ? lead & 0x0FU : lead & 0x07U;
    while (i < text.size() && (static_cast<unsigned char>(text[i]) & 0xC0U) == 0x80U) {
      code = code << 6U | (static_cast<unsigned char>(text[i++]) & 0x3FU);
    }
    if (code >= 0x10000) {
      units += static_cast<char16_t>(0xD800 + ((code - 0x10000) >> 10U));
      code = 0xDC00 + ((code - 0x10000) & 0x3FFU);
    }
    units += static_cast<char16_t>(code);
  }
  return units;
}

// Calls take(word) for each piece between semicolons.
template <class Take>
void each_word(std::u16string_view units, const Take& take) {
  while (true) {
    const std::size_t end = units.find(u';');
    take(units.substr(0, end));
    if (end == std::u16string_view::npos) return;
    units.remove_prefix(end + 1);
  }
}

const TiffReader::Entry* entry_of(const std::vector<TiffReader::Entry>& entries) {
  const auto* const entry = find_tag(entries, kXpKeywords);
  return entry != nullptr && entry->type == 1 ? entry : nullptr;  // bytes, as everybody writes it
}

std::vector<std::byte> number(std::size_t value, ByteOrder order) {
  std::vector<std::byte> bytes(4);
  for (std::size_t i = 0; i < 4; ++i) {
    bytes[order == ByteOrder::kBig ? 3 - i : i] = static_cast<std::byte>(value >> (8 * i) & 0xFFU);
  }
  return bytes;
}

}  // namespace

std::vector<std::string> read_xp(Bytes value) {
  std::vector<std::string> words;
  each_word(units_of(value), [&](std::u16string_view word) { add_word(words, utf8_of(word)); });
  return words;
}

std::vector<std::string> wanted_in_xp(Bytes value, const std::vector<std::string>& words) {
  const std::vector<std::string> present = read_xp(value);
  std::vector<std::string> wanted;
  if (present.empty()) return wanted;
  for (const std::string& word : words) {
    if (word.find(';') == std::string::npos && std::ranges::find(present, word) == present.end()) add_word(wanted, word);
  }
  return wanted;
}

std::vector<std::byte> changed_xp(Bytes value, const WordChange& change) {
  std::u16string units;
  bool first = true;
  const auto put = [&](std::u16string_view word) {
    if (!std::exchange(first, false)) units += u';';
    units += word;
  };
  each_word(units_of(value), [&](std::u16string_view word) {
    if (std::ranges::find(change.remove, utf8_of(word)) == change.remove.end()) put(word);
  });
  for (const std::string& word : change.add) put(utf16_of(word));
  units += u'\0';
  std::vector<std::byte> bytes;
  for (const char16_t unit : units) {
    bytes.push_back(static_cast<std::byte>(unit & 0xFFU));
    bytes.push_back(static_cast<std::byte>(unit >> 8U));
  }
  return bytes;
}

Bytes xp_keywords(Bytes exif) {
  const auto reader = TiffReader::open(exif);
  if (!reader) return {};
  const auto entries = reader->directory(reader->first_directory());
  const auto* const entry = entry_of(entries);
  return entry != nullptr ? reader->data(*entry) : Bytes();
}

Splices with_xp(Bytes exif, Bytes value) {
  const auto reader = TiffReader::open(exif);
  if (!reader) return {};
  const auto entries = reader->directory(reader->first_directory());
  const auto* const entry = entry_of(entries);
  if (entry == nullptr) return {};
  const auto base = static_cast<std::size_t>(reader->bytes().data() - exif.data());
  const std::size_t at = base + entry->at;
  Splices splices{{at + 4, 4, number(value.size(), reader->order())}};
  if (value.size() <= kInPlace) {
    std::vector<std::byte> field = copy_of(value);
    field.resize(kInPlace);
    splices.push_back({at + 8, 4, std::move(field)});
  } else if (value.size() <= entry->size) {
    const Splice change{base + entry->value_at, value.size(), copy_of(value)};
    splices.insert(change.offset < at ? splices.begin() : splices.end(), change);
  } else {
    std::vector<std::byte> tail(reader->bytes().size() % 2);
    splices.push_back({at + 8, 4, number(reader->bytes().size() + tail.size(), reader->order())});
    tail.insert(tail.end(), value.begin(), value.end());
    splices.push_back({exif.size(), 0, std::move(tail)});
  }
  return splices;
}

}  // namespace fovea::metadata
