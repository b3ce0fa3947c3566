// Fovea: keywords in the fields that are older than XMP: IPTC's (IIM 4.2, dataset 2:25) and Windows' XPKeywords. They are changed
// only where a photo has them already: a program that reads them would look past XMP's.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "core/file.h"
#include "metadata/splice.h"

namespace fovea::metadata {

/// Of a field; UTF-8.
struct WordChange {
  std::vector<std::string> add;
  std::vector<std::string> remove;
  [[nodiscard]] bool empty() const { return add.empty() && remove.empty(); }
};

struct OlderWords {
  WordChange iptc;
  WordChange xp;
};

/// Those of `words` that IPTC records take in: they hold keywords, not yet this one, and their character set has its letters. At
/// most 64 bytes a word.
[[nodiscard]] std::vector<std::string> wanted_in_iptc(Bytes records, const std::vector<std::string>& words);
/// New words stand behind the last keyword, in the records' character set; all else stays as it is.
[[nodiscard]] std::vector<std::byte> changed_iptc(Bytes records, const WordChange& change);

/// Photoshop's image resources with other IPTC records instead of `old`, which lies among them. A digest of the records, by which
/// programs see whether XMP has followed, is made anew if it was right.
[[nodiscard]] std::vector<std::byte> with_iptc(Bytes resources, Bytes old, Bytes records);
/// Where the digest of `records` lies among the resources, if it is there and right; npos if not.
[[nodiscard]] std::size_t digest_at(Bytes resources, Bytes records);
inline constexpr std::size_t kNoDigest = static_cast<std::size_t>(-1);

/// Of the value of XPKeywords: UTF-16, little endian whatever the order of the rest, separated by semicolons, with a NUL.
[[nodiscard]] std::vector<std::string> read_xp(Bytes value);
[[nodiscard]] std::vector<std::string> wanted_in_xp(Bytes value, const std::vector<std::string>& words);
[[nodiscard]] std::vector<std::byte> changed_xp(Bytes value, const WordChange& change);

/// The value of XPKeywords in an Exif segment or TIFF file; empty if there is none.
[[nodiscard]] Bytes xp_keywords(Bytes exif);
/// What gives that entry another value: in its old place, else behind the last byte. Offsets from `exif`'s first byte. Nothing
/// where there is no such entry.
[[nodiscard]] Splices with_xp(Bytes exif, Bytes value);

}  // namespace fovea::metadata
