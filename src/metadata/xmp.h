// Fovea: keywords in XMP packets, read and changed in place: whatever else a packet holds stays as it is, byte for byte.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "fovea/result.h"
#include "metadata/facts.h"
#include "metadata/splice.h"

namespace fovea::metadata {

/// Keywords in the fields that photo programs read.
struct Keywords {
  std::vector<std::string> subject;       ///< dc:subject: single words
  std::vector<std::string> hierarchical;  ///< lr:hierarchicalSubject: "Weather|Cloudy"
  std::vector<std::string> tags_list;     ///< digiKam:TagsList: "Weather/Cloudy"
  std::vector<std::string> iptc = {};     ///< IPTC's keywords and Windows', beside the packet (older_words.h): noted here what is
  std::vector<std::string> xp = {};       ///< Fovea's

  friend bool operator==(const Keywords&, const Keywords&) = default;
};

/// Who added keywords, and why. Kept beside them in a namespace of our own.
struct TagRecord {
  std::string model;
  std::string date;                      ///< UTC, "2026-11-22T19:30:00Z"
  std::vector<std::string> predictions;  ///< "cloudy 0.934"
};

struct XmpContent {
  Keywords all;         ///< everything that stands there, also what Fovea added
  Keywords own;         ///< what Fovea added
  bool marked = false;  ///< holds a TagRecord
  std::string date;     ///< of that
  Facts facts;          ///< date, camera, place; of the keywords (of all fields) those that Fovea did not add
};

/// Fails for text that is no XMP, or in a form that cannot be changed safely (UTF-16, a document type).
Result<XmpContent> read_xmp(std::string_view packet);

/// Adds `wanted` and `carried` to the fields, each word once, and says which of `wanted` were not there before. Existing words
/// stay where they are. kUnsupported for fields in a form that others do not write either.
Result<Splices> add_tags(std::string_view packet, const Keywords& wanted, const Keywords& carried, const TagRecord& record);

/// Takes out what add_tags put in, and the record of it: for a packet that others have changed since.
Result<Splices> remove_tags(std::string_view packet);

/// A packet without content.
[[nodiscard]] std::string empty_packet();

}  // namespace fovea::metadata
