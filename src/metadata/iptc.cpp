// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

#include "core/error.h"
#include "image/byte_order.h"
#include "metadata/facts.h"
#include "metadata/md5.h"
#include "metadata/older_words.h"
#include "metadata/text.h"

namespace fovea::metadata {
namespace {

using namespace std::string_view_literals;

constexpr char kRecordMark = 0x1C;
constexpr std::uint32_t kEnvelope = 1;
constexpr std::uint32_t kCharacterSet = 90;  // of the envelope
constexpr std::uint32_t kApplication = 2;
constexpr std::uint32_t kKeywords = 25;
constexpr std::string_view kUtf8Mark = "\x1B%G";
constexpr std::string_view kLatin1Mark = "\x1B.A";
constexpr std::uint32_t kIptcResource = 0x0404;
constexpr std::uint32_t kDigestResource = 0x0425;
constexpr std::size_t kDigestSize = 16;
constexpr std::size_t kLongestKeyword = 64;

enum class CharacterSet : std::uint8_t { kAscii, kLatin1, kUtf8 };

struct DataSet {
  std::uint32_t record = 0;
  std::uint32_t number = 0;
  std::size_t begin = 0;
  std::size_t end = 0;
  std::string_view value;

  [[nodiscard]] bool is_keyword() const { return record == kApplication && number == kKeywords; }
};

std::vector<DataSet> data_sets(Bytes records) {
  constexpr std::size_t kHead = 5;  // mark, record, dataset, length
  std::vector<DataSet> sets;
  std::size_t at = 0;
  while (records.size() - at >= kHead && records[at] == static_cast<std::byte>(kRecordMark)) {
    const std::size_t length = read_uint(records, at + 3, 2, ByteOrder::kBig);
    // A set high bit announces a longer length: keywords have at most 64 bytes, so what has one is of no use here.
    if (length > 0x7FFF || length > records.size() - at - kHead) break;
    sets.push_back({read_uint(records, at + 1, 1, ByteOrder::kBig), read_uint(records, at + 2, 1, ByteOrder::kBig), at,
                    at + kHead + length, as_text(records.subspan(at + kHead, length))});
    at += kHead + length;
  }
  return sets;
}

bool is_ascii(std::string_view text) {
  return std::ranges::none_of(text, [](char c) { return static_cast<unsigned char>(c) > 0x7F; });
}

// As declared; else UTF-8 where letters beyond ASCII are all valid as that, and Latin-1 where they are not or there are none: so
// programs read what declares nothing.
CharacterSet character_set(const std::vector<DataSet>& sets) {
  bool beyond = false;
  bool utf8 = true;
  for (const DataSet& set : sets) {
    if (set.record == kEnvelope && set.number == kCharacterSet) {
      return set.value == kUtf8Mark     ? CharacterSet::kUtf8
             : set.value == kLatin1Mark ? CharacterSet::kLatin1
                                        : CharacterSet::kAscii;
    }
    if (set.record != kApplication || is_ascii(set.value) || set.number == 0) continue;
    beyond = true;
    utf8 = utf8 && is_utf8(set.value);
  }
  return beyond && utf8 ? CharacterSet::kUtf8 : CharacterSet::kLatin1;
}

// Nothing for a word with letters that the set does not have.
std::optional<std::string> encoded(const std::string& word, CharacterSet set) {
  if (set == CharacterSet::kUtf8 || is_ascii(word)) return word;
  if (set == CharacterSet::kAscii) return std::nullopt;
  std::string latin1;
  for (std::size_t i = 0; i < word.size(); ++i) {
    const auto lead = static_cast<unsigned char>(word[i]);
    if (lead <= 0x7F) {
      latin1 += word[i];
    } else if ((lead == 0xC2 || lead == 0xC3) && i + 1 < word.size()) {
      latin1 += static_cast<char>((lead & 3U) << 6U | (static_cast<unsigned char>(word[++i]) & 0x3FU));
    } else {
      return std::nullopt;
    }
  }
  return latin1;
}

std::string decoded(std::string_view value) { return is_utf8(value) ? std::string(value) : utf8_from_latin1(value); }

struct Resource {
  std::uint32_t id = 0;
  std::size_t begin = 0;
  std::size_t size_at = 0;
  Bytes data;
  std::size_t end = 0;  // behind the byte that makes its size even, if that is there
};

// A name with its length in front, padded to an even number of bytes; then a size, and data padded likewise.
std::vector<Resource> resources_of(Bytes bytes) {
  std::vector<Resource> found;
  std::size_t at = 0;
  while (has_at(bytes, at, "8BIM"sv)) {
    Resource resource{.id = read_uint(bytes, at + 4, 2, ByteOrder::kBig), .begin = at, .size_at = 0, .data = {}, .end = 0};
    const std::size_t name = (1 + std::size_t{read_uint(bytes, at + 6, 1, ByteOrder::kBig)} + 1) & ~std::size_t{1};
    resource.size_at = at + 6 + name;
    if (resource.size_at + 4 > bytes.size()) break;
    const std::size_t size = read_uint(bytes, resource.size_at, 4, ByteOrder::kBig);
    if (size > bytes.size() - resource.size_at - 4) break;
    resource.data = bytes.subspan(resource.size_at + 4, size);
    resource.end = at = std::min(bytes.size(), resource.size_at + 4 + ((size + 1) & ~std::size_t{1}));
    found.push_back(resource);
  }
  return found;
}

void append(std::vector<std::byte>& to, Bytes bytes) { to.insert(to.end(), bytes.begin(), bytes.end()); }

bool contains(const std::vector<std::string>& words, const std::string& word) {
  return std::ranges::find(words, word) != words.end();
}

}  // namespace

Facts read_iptc(Bytes records) {
  Facts facts;
  for (const DataSet& set : data_sets(records)) {
    // Without a declared character set it is UTF-8 or Latin-1; what is valid UTF-8 is hardly ever meant as the other.
    if (set.is_keyword()) add_word(facts.keywords, decoded(set.value));
  }
  return facts;
}

Bytes iptc_records(Bytes resources) {
  for (const Resource& resource : resources_of(resources)) {
    if (resource.id == kIptcResource) return resource.data;
  }
  return {};
}

std::vector<std::string> wanted_in_iptc(Bytes records, const std::vector<std::string>& words) {
  const auto sets = data_sets(records);
  std::vector<std::string> wanted;
  if (std::ranges::none_of(sets, &DataSet::is_keyword)) return wanted;
  const std::vector<std::string> present = read_iptc(records).keywords;
  for (const std::string& word : words) {
    const auto text = encoded(word, character_set(sets));
    if (text && text->size() <= kLongestKeyword && !contains(present, word)) add_word(wanted, word);
  }
  return wanted;
}

std::vector<std::byte> changed_iptc(Bytes records, const WordChange& change) {
  const auto sets = data_sets(records);
  const CharacterSet letters = character_set(sets);
  std::size_t last = 0;
  for (const DataSet& set : sets) last = set.is_keyword() ? set.end : last;
  std::vector<std::byte> out;
  std::size_t done = 0;
  for (const DataSet& set : sets) {
    if (set.is_keyword() && contains(change.remove, decoded(set.value))) {
      append(out, records.subspan(done, set.begin - done));
      done = set.end;
    }
    if (set.end != last) continue;
    append(out, records.subspan(done, set.end - done));
    done = set.end;
    for (const std::string& word : change.add) {
      const std::string text = encoded(word, letters).value_or("");
      append(out, as_bytes("\x1C\x02\x19"sv));
      out.push_back(std::byte{0});
      out.push_back(static_cast<std::byte>(text.size()));
      append(out, as_bytes(text));
    }
  }
  append(out, records.subspan(done));
  return out;
}

std::size_t digest_at(Bytes resources, Bytes records) {
  for (const Resource& resource : resources_of(resources)) {
    if (resource.id == kDigestResource && resource.data.size() == kDigestSize &&
        std::ranges::equal(resource.data, md5(records))) {
      return resource.size_at + 4;
    }
  }
  return kNoDigest;
}

std::vector<std::byte> with_iptc(Bytes resources, Bytes old, Bytes records) {
  const std::size_t digest = digest_at(resources, old);
  std::vector<std::byte> out;
  std::size_t done = 0;
  for (const Resource& resource : resources_of(resources)) {
    const bool holds = resource.id == kIptcResource && resource.data.data() == old.data();
    if (!holds && resource.size_at + 4 != digest) continue;
    append(out, resources.subspan(done, resource.size_at - done));
    const Bytes data = holds ? records : resource.data;
    for (const unsigned shift : {24U, 16U, 8U, 0U}) out.push_back(static_cast<std::byte>(data.size() >> shift & 0xFFU));
    if (holds) {
      append(out, records);
      if (records.size() % 2 != 0) out.push_back({});
    } else {
      append(out, md5(records));
    }
    done = resource.end;
  }
  append(out, resources.subspan(done));
  return out;
}

}  // namespace fovea::metadata
