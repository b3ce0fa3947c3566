// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <string>
#include <string_view>

#include "core/error.h"
#include "image/byte_order.h"
#include "metadata/facts.h"
#include "metadata/text.h"

namespace fovea::metadata {
namespace {

constexpr std::byte kRecordMark{0x1C};
constexpr std::uint32_t kApplicationRecord = 2;
constexpr std::uint32_t kKeywords = 25;
constexpr std::uint32_t kIptcResource = 0x0404;

}  // namespace

Facts read_iptc(Bytes records) {
  constexpr std::size_t kHead = 5;  // mark, record, dataset, length
  Facts facts;
  while (records.size() >= kHead && records[0] == kRecordMark) {
    const std::uint32_t record = read_uint(records, 1, 1, ByteOrder::kBig);
    const std::uint32_t dataset = read_uint(records, 2, 1, ByteOrder::kBig);
    const std::size_t length = read_uint(records, 3, 2, ByteOrder::kBig);
    // A set high bit announces a longer length: keywords have at most 64 bytes, so what has one is of no use here.
    if (length > 0x7FFF || length > records.size() - kHead) break;
    const Bytes value = records.subspan(kHead, length);
    if (record == kApplicationRecord && dataset == kKeywords) {
      // Without a declared character set it is UTF-8 or Latin-1; what is valid UTF-8 is hardly ever meant as the other.
      const std::string_view text(reinterpret_cast<const char*>(value.data()), value.size());
      add_word(facts.keywords, is_utf8(text) ? std::string(text) : utf8_from_latin1(text));
    }
    records = records.subspan(kHead + length);
  }
  return facts;
}

Bytes iptc_records(Bytes resources) {
  using namespace std::string_view_literals;
  while (has_at(resources, 0, "8BIM"sv)) {
    const std::uint32_t id = read_uint(resources, 4, 2, ByteOrder::kBig);
    // A name with its length in front, padded to an even number of bytes; then a size, and data padded likewise.
    const std::size_t name = (1 + std::size_t{read_uint(resources, 6, 1, ByteOrder::kBig)} + 1) & ~std::size_t{1};
    const std::size_t at = 6 + name + 4;
    if (at > resources.size()) return {};
    const std::size_t size = read_uint(resources, 6 + name, 4, ByteOrder::kBig);
    if (size > resources.size() - at) return {};
    if (id == kIptcResource) return resources.subspan(at, size);
    resources = resources.subspan(std::min(resources.size(), at + ((size + 1) & ~std::size_t{1})));
  }
  return {};
}

}  // namespace fovea::metadata
